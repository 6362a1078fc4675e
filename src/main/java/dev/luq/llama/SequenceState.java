package dev.luq.llama;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;

/**
 * What a sequence of a {@link Context} held of keys, values and positions, in native memory of its own. Belongs to contexts
 * of the same model and {@link ContextOptions}.
 */
public final class SequenceState implements AutoCloseable {

    private final BytePointer state;
    private final long bytes;
    private boolean closed;

    /** @param state ownership passes to this object */
    SequenceState(BytePointer state, long bytes) {
        this.state = state;
        this.bytes = bytes;
    }

    /**
     * Memory for a state that was saved before, to be filled through {@link #view}.
     *
     * @throws OutOfMemoryError there is not as much
     */
    public static SequenceState allocate(long bytes) {
        return new SequenceState(new BytePointer(bytes), bytes);
    }

    /**
     * The native memory, valid until closed. llama.cpp trusts it: what is put there is what {@link Context#save} had written.
     *
     * @throws IllegalStateException it is longer than a buffer can be
     */
    public ByteBuffer view() {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalStateException("a state of " + bytes + " bytes");
        }
        return pointer().asByteBuffer();
    }

    /** Size of the native memory in bytes. */
    public long bytes() {
        return bytes;
    }

    BytePointer pointer() {
        if (closed) {
            throw new IllegalStateException("the state is closed");
        }
        return state;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            state.close();
        }
    }
}
