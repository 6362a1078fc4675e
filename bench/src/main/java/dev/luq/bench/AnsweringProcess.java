package dev.luq.bench;

import dev.luq.cli.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A process that measures on demand: it answers a line with a line, and sleeps meanwhile. Its errors go where ours go.
 * Closing ends it.
 */
final class AnsweringProcess implements AutoCloseable {

    private final Process process;
    private final BufferedReader answers;
    private final PrintStream commands;

    AnsweringProcess(ProcessBuilder builder) throws IOException {
        process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        answers = process.inputReader(StandardCharsets.US_ASCII);
        commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.US_ASCII);
    }

    void tell(String command) {
        commands.println(command);
    }

    /** Waits for the next line. Empty when the process ended. */
    Optional<String> answer() throws IOException {
        return Optional.ofNullable(answers.readLine());
    }

    long pid() {
        return process.pid();
    }

    /** Waits for the process. Returns its exit code. */
    int ended() {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            throw Waiting.interrupted(e);
        }
    }

    @Override
    public void close() {
        commands.close();
        ended();
    }
}
