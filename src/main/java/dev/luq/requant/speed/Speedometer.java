package dev.luq.requant.speed;

import dev.luq.machine.Kernels;
import dev.luq.machine.NativeBuild;
import dev.luq.process.ChildCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Measures how fast models generate on this machine, as a worker would serve them: its kernels, its number of threads, one
 * answer alone at the beginning of its context. What else the machine does meanwhile slows them. Thread-safe.
 *
 * @param kernels that multiply the weights
 * @param threads that compute
 */
public record Speedometer(Kernels kernels, int threads) {

    private static final String CLASS_PATH = "java.class.path";
    /** The longest measurement, loading a large model from a slow disk included. */
    private static final long MINUTES = 15;

    public Speedometer {
        if (threads < 1) {
            throw new IllegalArgumentException("threads are 1 or more");
        }
    }

    /**
     * Bytes per second that the threads read from memory, a quarter of a second of reading.
     *
     * @throws SpeedException it cannot be measured
     * @throws InterruptedException the thread was interrupted
     */
    public double bytesPerSecond() throws InterruptedException {
        return measure(List.of("memory", String.valueOf(threads)));
    }

    /**
     * Tokens per second of a model: of bursts of 128 steps in three seconds the fastest one's median.
     *
     * @param model its GGUF, or its split files in order
     * @throws SpeedException it cannot be measured, such as for want of memory
     * @throws InterruptedException the thread was interrupted
     */
    public double tokensPerSecond(List<Path> model) throws InterruptedException {
        return measure(Stream.concat(
                        Stream.of("tokens", kernels.name(), String.valueOf(threads)),
                        model.stream().map(Path::toString))
                .toList());
    }

    private static double measure(List<String> arguments) throws InterruptedException {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-Djava.awt.headless=true"));
        Optional.ofNullable(System.getProperty(NativeBuild.CACHE_PROPERTY))
                .ifPresent(folder -> line.add("-D" + NativeBuild.CACHE_PROPERTY + "=" + folder));
        line.addAll(List.of("-cp", System.getProperty(CLASS_PATH), SpeedProbe.class.getName()));
        line.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD);
        ChildCommand.environment(builder.environment());
        try {
            Process process = builder.start();
            try (BufferedReader answers = process.inputReader()) {
                if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                    throw new SpeedException("It took more than " + MINUTES + " minutes to measure the speed.");
                }
                String answer = answers.readLine();
                if (process.exitValue() != 0 || answer == null) {
                    throw new SpeedException(
                            "The speed cannot be measured: the process that tried ended with " + process.exitValue()
                                    + ". Most likely the model and what else runs do not fit into memory.");
                }
                return Double.parseDouble(answer);
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new SpeedException("The speed cannot be measured: " + e.getMessage());
        }
    }
}
