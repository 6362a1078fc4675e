package dev.luq.bench;

import dev.luq.cli.CliException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The image encoder of llama.cpp as upstream has it, in a process of its own that encodes one picture on demand and sleeps
 * meanwhile. Closing ends it.
 */
final class StockEncoder implements AutoCloseable {

    private final AnsweringProcess process;
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
        process = new AnsweringProcess(new ProcessBuilder(List.of(
                tools.resolve("stock-encoder").toString(),
                model.toString(),
                mmproj.toString(),
                Integer.toString(threads),
                Integer.toString(side),
                pixels.toString())));
        tokens = Integer.parseInt(answer());
    }

    /** Of the picture. */
    int tokens() {
        return tokens;
    }

    /** Encodes the picture. Returns the seconds. */
    double encode() {
        process.tell("");
        try {
            return Double.parseDouble(answer());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer() throws IOException {
        return process.answer()
                .orElseThrow(() -> new CliException("Stock llama.cpp cannot encode the picture (exit code "
                        + process.ended() + "): why is said above."));
    }

    @Override
    public void close() {
        process.close();
    }
}
