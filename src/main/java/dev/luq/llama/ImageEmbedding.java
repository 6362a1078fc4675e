package dev.luq.llama;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/**
 * What the vision encoder made of an image: one embedding per image token, in native memory, and where the tokens lie
 * in the decoder's positions. Immutable until closed; may be read by several threads, but not while it is closed.
 */
public final class ImageEmbedding implements AutoCloseable {

    /** Time, height, width and one more that no supported model uses: the order of llama.cpp's M-RoPE positions. */
    static final int AXES = 4;

    private final String id;
    private final FloatPointer floats;
    private final int tokens;
    private final int embeddingSize;
    private final int positions;
    private final boolean mrope;
    private final boolean divisible;
    /** Per token and axis: the position of an image at position 0, and whether it moves along with the image. */
    private final int[] offsets;

    private final boolean[] moves;
    private boolean closed;

    ImageEmbedding(
            ImageChunk chunk, FloatPointer floats, int embeddingSize, boolean mrope, int[] offsets, boolean[] moves) {
        this.id = chunk.id();
        this.floats = floats;
        this.tokens = chunk.tokens();
        this.embeddingSize = embeddingSize;
        this.positions = chunk.positions();
        this.mrope = mrope;
        this.divisible = chunk.divisible();
        this.offsets = offsets;
        this.moves = moves;
    }

    /** The identity of the image, as given in {@link PromptPart.Image}. */
    public String id() {
        return id;
    }

    /** Size of the native memory in bytes. */
    public long bytes() {
        return (long) tokens * embeddingSize * Float.BYTES;
    }

    /** Tokens in the KV cache. */
    public int tokens() {
        return tokens;
    }

    /** Positions that the image takes in its sequence: with M-RoPE fewer than its tokens. */
    public int positions() {
        return positions;
    }

    /** Floats per token. */
    public int embeddingSize() {
        return embeddingSize;
    }

    /** See {@link ImageChunk#divisible}. */
    public boolean divisible() {
        return divisible;
    }

    /** A view of the native memory, {@code tokens x embeddingSize} floats; valid until closed. */
    public FloatBuffer data() {
        return floats().asBuffer();
    }

    /** The same view as bytes, in the machine's order. */
    public ByteBuffer bytesView() {
        return floats().asByteBuffer();
    }

    boolean mrope() {
        return mrope;
    }

    /** The position of a token on an axis when the image lies at {@code imagePosition}. */
    int position(int token, int axis, int imagePosition) {
        if (!mrope) {
            return imagePosition + token;
        }
        int i = token * AXES + axis;
        return moves[i] ? imagePosition + offsets[i] : offsets[i];
    }

    FloatPointer floats() {
        if (closed) {
            throw new IllegalStateException("the image embedding is closed");
        }
        return floats;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            floats.close();
        }
    }
}
