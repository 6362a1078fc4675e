package dev.luq.http.intake;

import dev.luq.http.ApiConfig;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.InvalidRequest;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Bounds the memory of all requests on their way in, so that many large ones are refused instead of ending the server.
 * Thread-safe.
 */
@Singleton
public final class IntakeBudget {

    private final long total;
    private final long largestBody;
    private final AtomicLong free;

    @Inject
    public IntakeBudget(ApiConfig config) {
        this(config.intakeBytes().orElse(Runtime.getRuntime().maxMemory() / 2), config.maxBodyBytes());
    }

    public IntakeBudget(long totalBytes, long maxBodyBytes) {
        total = totalBytes;
        free = new AtomicLong(totalBytes);
        // The one more is for its objects.
        largestBody = Math.min(maxBodyBytes, totalBytes / (ReceivedBody.BYTES_PER_PARSED_BYTE + 1));
    }

    /** Bytes of the largest body that is read: as configured, or less where the memory is too small for it. */
    public long largestBody() {
        return largestBody;
    }

    /**
     * @return to be closed when the memory is free again
     * @throws Busy if others hold so much that this does not fit
     */
    public Share reserve(long bytes) {
        Share share = new Share(() -> 0);
        share.grow(bytes);
        return share;
    }

    /**
     * A part for what is made of a body: what does not fit beside that is refused for good, for the body stays.
     *
     * @return to be closed when the memory is free again
     */
    public Share beside(ReceivedBody body) {
        return new Share(body::held);
    }

    /** Bytes of the whole budget. */
    public long total() {
        return total;
    }

    /** Bytes not reserved at this moment. */
    public long free() {
        return free.get();
    }

    /** A part of the budget. Closing it twice does no harm. */
    public final class Share implements AutoCloseable {
        private final AtomicLong held = new AtomicLong();
        private final LongSupplier beside;

        private Share(LongSupplier beside) {
            this.beside = beside;
        }

        /**
         * @throws InvalidRequest if it never fits
         * @throws Busy if it does not fit now; what is held already stays held
         */
        public void grow(long bytes) {
            if (held.get() + beside.getAsLong() + bytes > total) {
                throw new InvalidRequest(
                        null,
                        "The request needs more memory than the server has for it: send less at once, such as fewer or"
                                + " smaller images, or have the operator raise luq.api.intake-bytes");
            }
            long before;
            do {
                // What is not granted is never taken, not for a moment either: others would be refused for it.
                before = free.get();
                if (bytes > before) {
                    throw new Busy("The server is busy reading other requests");
                }
            } while (!free.compareAndSet(before, before - bytes));
            held.addAndGet(bytes);
        }

        /** Bytes of this part. */
        long held() {
            return held.get();
        }

        public void shrink(long bytes) {
            held.addAndGet(-bytes);
            free.addAndGet(bytes);
        }

        /** Gives back what is held beyond this. */
        void shrinkTo(long bytes) {
            long before = held.getAndUpdate(now -> Math.min(now, bytes));
            free.addAndGet(Math.max(0, before - bytes));
        }

        @Override
        public void close() {
            free.addAndGet(held.getAndSet(0));
        }
    }
}
