package dev.luq.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.vertx.core.buffer.impl.VertxByteBufAllocator;
import java.io.OutputStream;

/**
 * Bytes of an answer where the socket takes them from, outside of the heap, so that each is there once. Their
 * {@link AnswerShare} counts them, in segments, before they are there. Ends with {@link #take} or {@link #discard}. Not
 * thread-safe.
 */
final class JsonBuffer extends OutputStream {

    private static final int FIRST_SEGMENT = 8 << 10;
    private static final int LARGEST_SEGMENT = 64 << 10;
    private static final ByteBufAllocator ALLOCATOR = VertxByteBufAllocator.POOLED_ALLOCATOR;

    private final AnswerShare share;
    private final CompositeByteBuf full = ALLOCATOR.compositeDirectBuffer(Integer.MAX_VALUE);
    private ByteBuf last = ALLOCATOR.directBuffer(FIRST_SEGMENT, FIRST_SEGMENT);

    JsonBuffer(AnswerShare share) {
        this.share = share;
    }

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    /** @throws dev.luq.http.errors.ApiException if there is no memory for them */
    @Override
    public void write(byte[] bytes, int offset, int length) {
        int end = offset + length;
        for (int at = offset; at < end; ) {
            if (!last.isWritable()) {
                int size = Math.min(2 * last.capacity(), LARGEST_SEGMENT);
                share.write(size);
                full.addComponent(true, last);
                last = ALLOCATOR.directBuffer(size, size);
            }
            int count = Math.min(end - at, last.writableBytes());
            last.writeBytes(bytes, at, count);
            at += count;
        }
    }

    /** What was written, which the caller releases. */
    ByteBuf take() {
        return full.addComponent(true, last);
    }

    /** Releases what was written. */
    void discard() {
        take().release();
    }
}
