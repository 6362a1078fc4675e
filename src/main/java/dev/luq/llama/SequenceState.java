package dev.luq.llama;

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
