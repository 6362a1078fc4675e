package dev.luq.requant.speed;

import dev.luq.machine.Kernels;
import dev.luq.process.ChildCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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

    private static final String HEAP = "256m";
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
        List<String> line = ChildCommand.ofThisProcess(SpeedProbe.class.getName(), "speed", HEAP, List.of(), arguments);
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
            // What the system says names paths, and most often it is that a process had no memory.
            throw new SpeedException("The speed cannot be measured: its process could not be started or read."
                    + " Most likely memory ran out; end what else runs, and resume.");
        }
    }
}
