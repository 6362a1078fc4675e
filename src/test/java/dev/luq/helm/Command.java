package dev.luq.helm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Programs of this machine, run to their end. */
final class Command {

    private Command() {}

    /**
     * What a program said.
     *
     * @param code its exit status
     * @param output of both streams
     */
    record Result(int code, String output) {}

    static Result run(List<String> line) {
        return run(line, "");
    }

    /** @param input on its standard input */
    static Result run(List<String> line, String input) {
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
