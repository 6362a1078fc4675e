package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.global.llama;
import dev.luq.preset.mtmd_input_chunk;
import org.bytedeco.javacpp.BytePointer;

/**
 * A preprocessed image, or a slice of one where the model cuts images into slices; ready to be encoded. Closed by who
 * got it from {@link Vision#tokenize}.
 */
public final class ImageChunk implements PromptChunk, AutoCloseable {

    private final mtmd_input_chunk chunk;
    private final String id;
    private final int tokens;
    private final int positions;
    private final boolean divisible;
    private boolean closed;

    /**
     * @param chunk ownership passes to this object
     * @param divisible see {@link #divisible}
     */
    ImageChunk(mtmd_input_chunk chunk, boolean divisible) {
        this.chunk = chunk;
        this.divisible = divisible;
        BytePointer name = llama.mtmd_input_chunk_get_id(chunk);
        this.id = name == null ? "" : name.getString(UTF_8);
        this.tokens = Math.toIntExact(llama.mtmd_input_chunk_get_n_tokens(chunk));
        this.positions = llama.mtmd_input_chunk_get_n_pos(chunk);
    }

    /** The identity of the image; slices of one image share it. */
    public String id() {
        return id;
    }

    /** Tokens in the KV cache. */
    public int tokens() {
        return tokens;
    }

    @Override
    public int size() {
        return tokens;
    }

    @Override
    public int positions() {
        return positions;
    }

    /** Whether the image may be evaluated in several runs. Not so where its tokens attend to later ones. */
    public boolean divisible() {
        return divisible;
    }

    /** The same without its pixels: it can be {@linkplain Vision#restore restored}, not encoded. The caller closes both. */
    public ImageChunk withoutPixels() {
        mtmd_input_chunk placeholder = llama.mtmd_input_chunk_get_placeholder(pointer());
        if (placeholder == null) {
            throw new OutOfMemoryError("there is no memory for the description of an image");
        }
        return new ImageChunk(placeholder, divisible);
    }

    mtmd_input_chunk pointer() {
        if (closed) {
            throw new IllegalStateException("the image chunk is closed");
        }
        return chunk;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            llama.mtmd_input_chunk_free(chunk);
        }
    }
}
