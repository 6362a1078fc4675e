package dev.luq.requant.pipeline;

import dev.luq.files.DataFolder;
import dev.luq.requant.spec.Phase;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A job in a process of its own, which tells its phases and may be killed. */
final class JobProcess implements AutoCloseable {

    private static final String MARK = "phase ";

    private final Process process;
    private final BufferedReader output;

    private JobProcess(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /** @param args the data folder, the job folder, and the phase that begins only when a byte has come, if any */
    public static void main(String[] args) {
        Optional<Phase> held = args.length > 2 ? Optional.of(Phase.valueOf(args[2])) : Optional.empty();
        Jobs.Notes telling = new Jobs.Notes() {
            @Override
            public void phase(Phase phase) {
                super.phase(phase);
                System.out.println(MARK + phase);
                if (held.filter(phase::equals).isPresent()) {
                    try {
                        System.in.read();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
        };
        new RequantizationJob(new DataFolder(Path.of(args[0])), Path.of(args[1])).run(telling);
    }

    /** @param held the phase that begins only after {@link #goOn} */
    static JobProcess start(Path dataDir, Path jobFolder, Optional<Phase> held) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                JobProcess.class.getName(),
                dataDir.toString(),
                jobFolder.toString()));
        held.map(Phase::name).ifPresent(command::add);
        try {
            return new JobProcess(new ProcessBuilder(command)
                    .redirectError(new File(dataDir.getParent().toFile(), "stderr"))
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Waits for the next phase.
     *
     * @return empty when the process has ended
     */
    Optional<Phase> nextPhase() {
        try {
            String line = output.readLine();
            while (line != null && !line.startsWith(MARK)) {
                line = output.readLine();
            }
            return Optional.ofNullable(line).map(text -> Phase.valueOf(text.substring(MARK.length())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lets the phase begin that is held. */
    void goOn() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
    }

    Process process() {
        return process;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
