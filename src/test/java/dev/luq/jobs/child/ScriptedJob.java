package dev.luq.jobs.child;

import dev.luq.Signals;
import dev.luq.requant.pipeline.RequantizationException;
import dev.luq.requant.pipeline.RequantizationJob;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The process of a job that does what the first word of its result's name tells it, and leaves a line in {@code log} of its
 * folder for every phase that it went through:
 * <pre>
 * quick     all phases at once
 * patient   waits in QUANTIZE until there is a file {@code go} in its folder, or it is to stop; then the rest
 * deaf      the same, and does not stop
 * failing   fails in RANK
 * dying     dies in QUANTIZE by SIGKILL, twice; the third process finds the phases before done
 * mortal    dies each time
 * crashing  dies each time by SIGSEGV
 * </pre>
 */
public final class ScriptedJob implements Consumer<RequantizationJob.Listener> {

    private final Path folder;
    private final String kind;

    private ScriptedJob(Path folder) {
        this.folder = folder;
        this.kind = RequantizationSpec.read(folder).output().manifestId().split("-")[0];
    }

    public static void main(String[] arguments) {
        Path folder = Path.of(arguments[1]);
        JobLoop.run(folder, new ScriptedJob(folder));
    }

    @Override
    public void accept(RequantizationJob.Listener listener) {
        System.out.println("a stray print");
        List<Phase> done = read("log").stream().map(Phase::valueOf).toList();
        for (Phase phase : Phase.values()) {
            if (done.contains(phase)) {
                continue;
            }
            listener.phase(phase);
            listener.progress(phase.ordinal() / 8.0, OptionalLong.of(8 - phase.ordinal()));
            listener.message("doing " + phase);
            if (kind.equals("failing") && phase == Phase.RANK) {
                throw new RequantizationException.Failed(
                        "The model cannot be ranked.", new IllegalStateException("for the log"));
            }
            if (phase == Phase.QUANTIZE) {
                quantize(listener);
            }
            append("log", phase.name());
        }
    }

    private void quantize(RequantizationJob.Listener listener) {
        switch (kind) {
            case "patient", "deaf" -> {
                while (!Files.exists(folder.resolve("go"))) {
                    if (listener.cancelled() && kind.equals("patient")) {
                        throw new RequantizationException.Cancelled();
                    }
                    sleep(20);
                }
            }
            case "crashing" -> Signals.dieOf("SEGV");
            case "dying", "mortal" -> {
                append("deaths", "one");
                if (kind.equals("mortal") || read("deaths").size() < 3) {
                    Signals.dieOf("KILL");
                }
            }
            default -> {}
        }
    }

    private List<String> read(String name) {
        try {
            return Files.exists(folder.resolve(name)) ? Files.readAllLines(folder.resolve(name)) : List.of();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void append(String name, String line) {
        try {
            Files.writeString(
                    folder.resolve(name),
                    String.join("\n", read(name)) + (read(name).isEmpty() ? "" : "\n") + line);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
