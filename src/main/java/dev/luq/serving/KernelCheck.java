package dev.luq.serving;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.luq.files.PlainText;
import dev.luq.files.ProcessLock;
import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.KernelTrial.Outcome;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessConfig;
import dev.luq.process.ProcessExit;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tries this machine's kernels in a process of their own, once for each build of the native libraries and processor; later
 * starts read the result. When the process dies or hangs, the next one goes on behind the kernel that it was trying.
 * Without a result, kernels are chosen by rule, as before the first trial.
 */
public final class KernelCheck {

    private static final Logger LOG = Logger.getLogger(KernelCheck.class);
    private static final String MAIN_CLASS = "dev.luq.worker.KernelTrialsMain";
    private static final String ROLE = "kernels";
    private static final String HEAP = "32m";
    private static final List<String> TUNING = List.of("-XX:TieredStopAtLevel=1");
    /** Characters of what it says on standard error before it ends. */
    private static final int COMPLAINTS = 500;

    /**
     * The trials take two seconds on two cores; other work may take the cores meanwhile. QEMU takes 98 s, 21 s of them for
     * a GEMM whose products it cannot leave to the processor.
     */
    private static final Limits LIMITS = new Limits(Duration.ofSeconds(60), Duration.ofMinutes(5));

    private static final Object ONE_AT_A_TIME = new Object();

    /** How the process is started. */
    interface Command {

        /** @param arguments the number of the first trial, then names of sets that are left out */
        List<String> line(String... arguments);
    }

    /**
     * Bounds in time.
     *
     * @param silence of the process, in processor time, after which it hangs: one that gets no processor does not
     * @param total of all processes together, by the clock
     */
    record Limits(Duration silence, Duration total) {}

    private final Command command;
    private final Path file;
    private final Limits limits;

    KernelCheck(Command command, Path file, Limits limits) {
        this.command = command;
        this.file = file;
        this.limits = limits;
    }

    /** For the kernels of this process's class path. */
    public static KernelCheck of(ProcessConfig config) {
        ChildCommand command = new ChildCommand(config, MAIN_CLASS, ROLE, HEAP, TUNING);
        return new KernelCheck(
                arguments -> command.line(ROLE, arguments),
                KernelTable.file(config.nativeCacheDir().map(Path::toAbsolutePath)),
                LIMITS);
    }

    /** For a process that has no configuration: its own JVM and class path, and libraries where it unpacks them itself. */
    public static KernelCheck ofThisProcess() {
        return new KernelCheck(
                arguments -> ChildCommand.ofThisProcess(MAIN_CLASS, ROLE, HEAP, TUNING, List.of(arguments)),
                KernelTable.file(Optional.empty()),
                LIMITS);
    }

    /**
     * What is known about this machine's kernels; finds it out where that is not done yet, which takes some seconds, and
     * five minutes at most. Any thread.
     *
     * @return empty when it cannot be found out; the log says why
     */
    public Optional<KernelTable> ensure() throws InterruptedException {
        synchronized (ONE_AT_A_TIME) {
            Optional<KernelTable> known = KernelTable.read(file);
            return known.isPresent() ? known : find();
        }
    }

    /** Says in the log what is switched off, if anything is. */
    static void warn(KernelTable table) {
        table.switchedOff()
                .forEach((set, why) -> LOG.warnf(
                        "The kernels %s are switched off on this machine: %s. luq doctor shows all of them.",
                        set, why));
    }

    private Optional<KernelTable> find() throws InterruptedException {
        long deadline = System.nanoTime() + limits.total().toNanos();
        LOG.info("This machine's kernels are tried, once for a build and a processor: some seconds");
        try {
            Files.createDirectories(file.getParent());
            try (ProcessLock alone = ProcessLock.take(
                            file.resolveSibling(file.getFileName() + ".lock"),
                            () -> System.nanoTime() >= deadline,
                            () -> {})
                    .orElse(null)) {
                Optional<KernelTable> other = KernelTable.read(file);
                if (other.isPresent() || alone == null) {
                    return other;
                }
                KernelTable table = new KernelTable(new Trials(deadline).run());
                table.write(file);
                return Optional.of(table);
            }
        } catch (IOException e) {
            LOG.warnf("This machine's kernels were not tried, they are taken by rule: %s", e.getMessage());
            return Optional.empty();
        }
    }

    /** The trials of one run. */
    private final class Trials {

        private final long deadline;
        private final List<KernelTrial> done = new ArrayList<>();
        private final Set<String> leftOut = new LinkedHashSet<>();

        Trials(long deadline) {
            this.deadline = deadline;
        }

        List<KernelTrial> run() throws IOException, InterruptedException {
            while (!runFrom(done.size())) {
                // again, behind what the last process died of
            }
            return done;
        }

        /** @return whether the last trial is done */
        private boolean runFrom(int first) throws IOException, InterruptedException {
            List<String> arguments = new ArrayList<>(List.of(Integer.toString(first)));
            arguments.addAll(leftOut);
            ProcessBuilder builder = new ProcessBuilder(command.line(arguments.toArray(String[]::new)));
            ChildCommand.environment(builder.environment());
            Process process = builder.start();
            try {
                return read(process, lines(process), complaints(process));
            } finally {
                process.destroyForcibly();
            }
        }

        private boolean read(Process process, BlockingQueue<String> lines, CompletableFuture<String> complaints)
                throws IOException, InterruptedException {
            String[] trial = null;
            while (true) {
                String line = next(process, lines);
                boolean hangs = line == null;
                if (hangs || line.isEmpty()) { // the output's end
                    String how = hangs
                            ? "no answer in " + limits.silence().toSeconds() + " s of processor time"
                            : new ProcessExit(process.waitFor()).toString();
                    died(trial, how, hangs ? "" : complaints.join());
                    return false;
                }
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "trial" -> trial = whole(words, 5, line);
                    case "verdict", "failed", "left-out" -> {
                        add(trial, line);
                        trial = null;
                    }
                    case "end" -> {
                        return true;
                    }
                    default -> LOG.debugf("The process that tries kernels says: %s", line);
                }
            }
        }

        /** @return null when the process hangs */
        private String next(Process process, BlockingQueue<String> lines) throws IOException, InterruptedException {
            Duration before = processorTime(process);
            long left = limits.silence().toNanos();
            while (left > 0) {
                String line = lines.poll(Math.min(left, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (line != null) {
                    return line;
                }
                if (System.nanoTime() >= deadline) {
                    throw new IOException(
                            "it takes longer than " + limits.total().toSeconds() + " s");
                }
                left = limits.silence()
                        .minus(processorTime(process).minus(before))
                        .toNanos();
            }
            return null;
        }

        /** Of all its threads; zero when it has ended. */
        private static Duration processorTime(Process process) {
            return process.info().totalCpuDuration().orElse(Duration.ZERO);
        }

        /** @param trial {@code trial NUMBER TYPE SET LAYOUTS}; null when the process was at none */
        private void died(String[] trial, String how, String complaints) throws IOException {
            if (trial == null) {
                throw new IOException("the process that tries them ends (" + how + ")"
                        + (complaints.isEmpty() ? "" : ": " + complaints));
            }
            fail(trial, Outcome.DIED, how);
        }

        private void add(String[] trial, String line) throws IOException {
            String[] words = line.split(" ");
            if (trial == null) {
                throw notUnderstood(line);
            }
            switch (words[0]) {
                case "failed" ->
                    fail(trial, Outcome.DIED, line.substring(words[0].length()).strip());
                case "left-out" -> put(trial, Outcome.LEFT_OUT, 0, 0, "");
                default -> {
                    whole(words, 5, line);
                    if (words[1].equals("right")) {
                        put(trial, Outcome.RIGHT, number(words[3], line), number(words[4], line), "");
                    } else {
                        fail(trial, Outcome.WRONG, "off by " + words[2] + " times what is allowed");
                    }
                }
            }
        }

        private static String[] whole(String[] words, int length, String line) throws IOException {
            if (words.length != length) {
                throw notUnderstood(line);
            }
            return words;
        }

        private static double number(String text, String line) throws IOException {
            try {
                return Double.parseDouble(text);
            } catch (NumberFormatException e) {
                throw notUnderstood(line);
            }
        }

        private static IOException notUnderstood(String line) {
            return new IOException("the process that tries them is not understood: " + line);
        }

        private void fail(String[] trial, Outcome outcome, String why) throws IOException {
            put(trial, outcome, 0, 0, why);
            if (!trial[3].equals(KernelTrial.ROWS)) {
                leftOut.add(trial[3]);
            }
        }

        private void put(String[] trial, Outcome outcome, double one, double many, String detail) throws IOException {
            try {
                done.add(new KernelTrial(
                        trial[2], trial[3], KernelTrial.kernelsOf(trial[4]), outcome, one, many, detail));
            } catch (IllegalArgumentException e) {
                throw notUnderstood(String.join(" ", trial));
            }
        }
    }

    /** The beginning of what it writes to standard error, in one line; complete when it has ended. */
    private static CompletableFuture<String> complaints(Process process) {
        CompletableFuture<String> complaints = new CompletableFuture<>();
        Thread reader = new Thread(
                () -> {
                    StringBuilder first = new StringBuilder();
                    try (BufferedReader output = process.errorReader(US_ASCII)) {
                        output.lines().forEach(line -> {
                            LOG.debugf("The process that tries kernels complains: %s", line);
                            if (first.length() < COMPLAINTS) {
                                first.append(first.isEmpty() ? "" : " ").append(line.strip());
                            }
                        });
                    } catch (IOException | UncheckedIOException e) {
                        LOG.debugf("The complaints of the process that tries kernels ended: %s", e.getMessage());
                    }
                    complaints.complete(PlainText.of(first.toString(), COMPLAINTS));
                },
                "luq-kernel-complaints");
        reader.setDaemon(true);
        reader.start();
        return complaints;
    }

    /** Lines as they come; an empty one is the end. */
    private static BlockingQueue<String> lines(Process process) {
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        Thread reader = new Thread(
                () -> {
                    try (BufferedReader output =
                            new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII))) {
                        output.lines().filter(line -> !line.isEmpty()).forEach(lines::add);
                    } catch (IOException | UncheckedIOException e) {
                        LOG.debugf("The output of the process that tries kernels ended: %s", e.getMessage());
                    }
                    lines.add("");
                },
                "luq-kernel-trials");
        reader.setDaemon(true);
        reader.start();
        return lines;
    }
}
