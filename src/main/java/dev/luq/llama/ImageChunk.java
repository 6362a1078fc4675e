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
    private boolean closed;

    /** @param chunk ownership passes to this object */
    ImageChunk(mtmd_input_chunk chunk) {
        this.chunk = chunk;
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
