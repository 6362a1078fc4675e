package dev.luq.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.MachineKernels;
import dev.luq.machine.Kernels;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessExit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model loaded in a process of its own ({@link SpeedProbe}), measured on demand. Between two measurements it sleeps, its
 * compute threads included, and leaves the processors to another one. Closing ends it.
 */
final class ProbeProcess implements AutoCloseable {

    private final Path model;
    private final AnsweringProcess process;
    private final double load;

    /**
     * Loads a model.
     *
     * @param prompt tokens of the prompt
     * @param tokens the most that {@link #decode} is asked for
     * @throws CliException it cannot be loaded
     */
    ProbeProcess(Path model, Kernels kernels, int threads, int prompt, int tokens) throws IOException {
        this.model = model;
        MachineKernels.know();
        String java = ProcessHandle.current().info().command().orElse("java");
        ProcessBuilder builder = new ProcessBuilder(List.of(
                java,
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                BenchCommand.class.getName(),
                "probe",
                model.toString(),
                "--kernels=" + kernels,
                "--threads=" + threads,
                "--prompt=" + prompt,
                "--tokens=" + tokens));
        // What is measured is what a server's workers do: above all, how long their threads spin before they sleep.
        ChildCommand.environment(builder.environment());
        process = new AnsweringProcess(builder);
        load = answer("load").doubleValue();
    }

    /** Seconds that loading took. */
    double load() {
        return load;
    }

    /** Evaluates the prompt anew, in one batch; {@link #decode} continues it. Returns the seconds. */
    double prefill() throws IOException {
        return ask("prefill", "seconds").doubleValue();
    }

    /** Generates tokens after the prompt and drops them. Returns the seconds of a step, the median. */
    double decode(int tokens) throws IOException {
        return ask("decode " + tokens, "seconds").doubleValue();
    }

    /** Bytes in memory, the KV cache and the JVM included. */
    long resident() throws IOException {
        return ask("memory", "resident").longValue();
    }

    long pid() {
        return process.pid();
    }

    private JsonNode ask(String command, String field) throws IOException {
        process.tell(command);
        return answer(field);
    }

    private JsonNode answer(String field) throws IOException {
        Optional<String> line = process.answer();
        if (line.isPresent()) {
            return CompletionClient.JSON.readTree(line.get()).path(field);
        }
        ProcessExit exit = new ProcessExit(process.ended());
        String why = exit.signal().equals("SIGKILL") ? "most likely there was too little memory" : "why is said above";
        throw new CliException(
                "The process that measures " + model.getFileName() + " ended (" + exit + "): " + why + ".");
    }

    @Override
    public void close() {
        process.close();
    }
}
