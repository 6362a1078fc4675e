package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * The image encoder of llama.cpp as upstream has it, in a process of its own that encodes one picture on demand and sleeps
 * meanwhile. Closing ends it.
 */
final class StockEncoder implements AutoCloseable {

    private final Process process;
    private final BufferedReader answers;
    private final PrintStream commands;
    private final int tokens;

    /**
     * Opens a projector.
     *
     * @param tools folder of {@code native/build --stock-tools}
     * @param model the language model that the projector belongs to
     * @param side of the picture in pixels
     * @param pixels file of its side * side pixels, three bytes each
     * @throws CliException it cannot be opened: why is on standard error
     */
    StockEncoder(Path tools, Path model, Path mmproj, int threads, int side, Path pixels) throws IOException {
        process = new ProcessBuilder(List.of(
                        tools.resolve("stock-encoder").toString(),
                        model.toString(),
                        mmproj.toString(),
                        Integer.toString(threads),
                        Integer.toString(side),
                        pixels.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        answers = process.inputReader(StandardCharsets.US_ASCII);
        commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.US_ASCII);
        tokens = Integer.parseInt(answer());
    }

    /** Of the picture. */
    int tokens() {
        return tokens;
    }

    /** Encodes the picture. Returns the seconds. */
    double encode() {
        commands.println();
        try {
            return Double.parseDouble(answer());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new CliException(
                    "Stock llama.cpp cannot encode the picture (exit code " + ended() + "): why is said above.");
        }
        return line;
    }

    private int ended() {
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
