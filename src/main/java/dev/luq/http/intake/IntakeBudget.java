package dev.luq.http.intake;

import dev.luq.http.ApiConfig;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.InvalidRequest;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Bounds the memory of all requests on their way in and of all large answers, so that many are refused instead of ending
 * the server. A client may have all of it, but what others hold counts only seven eighths against it: whoever comes to
 * one that is full finds an eighth, and all together never hold more than a seventh beyond it. Thread-safe.
 */
@Singleton
public final class IntakeBudget {

    private final Room all;
    /** A part of all: bodies of ordinary size find room although nobody reads what fills this. */
    private final Room answers;

    private final long largestBody;

    @Inject
    public IntakeBudget(ApiConfig config) {
        this(config.intakeBytes().orElse(Runtime.getRuntime().maxMemory() / 16 * 7), config.maxBodyBytes());
    }

    public IntakeBudget(long totalBytes, long maxBodyBytes) {
        all = new Room(totalBytes);
        answers = new Room(totalBytes / 4 * 3);
        // The one more is for its objects.
        largestBody = Math.min(maxBodyBytes, totalBytes / (ReceivedBody.BYTES_PER_PARSED_BYTE + 1));
    }

    /** Bytes of the largest body that is read: as configured, or less where the memory is too small for it. */
    public long largestBody() {
        return largestBody;
    }

    /**
     * @param client whose request it is for; see {@link dev.luq.http.access.Caller#client}
     * @return to be closed when the memory is free again
     * @throws Busy if so much is held that this does not fit
     */
    public Share reserve(String client, long bytes) {
        Share share = new Share(client, () -> 0, null);
        share.grow(bytes);
        return share;
    }

    /**
     * A part for an answer; empty at first.
     *
     * @param client who gets the answer
     * @return to be closed when the memory is free again
     */
    public Share ofAnswer(String client) {
        return new Share(client, () -> 0, answers);
    }

    /**
     * A part for what is made of a body: what does not fit beside that is refused for good, for the body stays.
     *
     * @return to be closed when the memory is free again
     */
    public Share beside(ReceivedBody body) {
        return new Share(body.client(), body::held, null);
    }

    /** Bytes that one client may hold. */
    public long total() {
        return all.total;
    }

    /** Bytes not held at this moment; below zero when several clients hold them. */
    public long free() {
        return all.total - all.held();
    }

    /** Bytes that a client holds at this moment. */
    long heldBy(String client) {
        return all.heldBy(client);
    }

    private static final class Room {
        private final long total;
        // guarded by this
        private long held;
        private final Map<String, Long> byClient = new HashMap<>();

        Room(long bytes) {
            total = bytes;
        }

        /** What is not granted is never taken, not for a moment either: others would be refused for it. */
        synchronized boolean take(String client, long bytes) {
            long own = heldBy(client);
            if (bytes > 0 && own + bytes > total - (held - own) / 8 * 7) {
                return false;
            }
            held += bytes;
            byClient.put(client, own + bytes);
            return true;
        }

        synchronized void giveBack(String client, long bytes) {
            held -= bytes;
            byClient.computeIfPresent(client, (same, own) -> own == bytes ? null : own - bytes);
        }

        synchronized long held() {
            return held;
        }

        synchronized long heldBy(String client) {
            return byClient.getOrDefault(client, 0L);
        }
    }

    /** A part of the budget. Closing it twice does no harm. */
    public final class Share implements AutoCloseable {
        private final AtomicLong held = new AtomicLong();
        private final String client;
        private final LongSupplier beside;
        /** What it is taken from beside all; null for nothing else. */
        private final Room part;

        private Share(String client, LongSupplier beside, Room part) {
            this.client = client;
            this.beside = beside;
            this.part = part;
        }

        /**
         * @throws InvalidRequest if it never fits
         * @throws Busy if it does not fit now; what is held already stays held
         */
        public void grow(long bytes) {
            if (held.get() + beside.getAsLong() + bytes > (part == null ? all : part).total) {
                throw new InvalidRequest(null, tooMuch());
            }
            if (part != null && !part.take(client, bytes)) {
                throw busy();
            }
            if (!all.take(client, bytes)) {
                if (part != null) {
                    part.giveBack(client, bytes);
                }
                throw busy();
            }
            held.addAndGet(bytes);
        }

        private String tooMuch() {
            return part == null
                    ? "The request needs more memory than the server has for it: send less at once, such as fewer or"
                            + " smaller images, or have the operator raise luq.api.intake-bytes"
                    : "The answer needs more memory than the server has for it: ask for less at once, such as fewer"
                            + " inputs, choices, tokens or log probabilities, or with stream where there is one, or have"
                            + " the operator raise luq.api.intake-bytes";
        }

        private Busy busy() {
            if (2 * (all.heldBy(client) - held.get() - beside.getAsLong()) > all.held()) {
                return new Busy("Your other requests hold the memory that one client may have: wait for their answers"
                        + " and read them");
            }
            return new Busy(
                    part == null
                            ? "The server is busy reading other requests"
                            : "The server is busy with other requests and large answers");
        }

        private void giveBack(long bytes) {
            all.giveBack(client, bytes);
            if (part != null) {
                part.giveBack(client, bytes);
            }
        }

        String client() {
            return client;
        }

        /** Bytes of this part. */
        public long held() {
            return held.get();
        }

        public void shrink(long bytes) {
            held.addAndGet(-bytes);
            giveBack(bytes);
        }

        /** Gives back what is held beyond this. */
        public void shrinkTo(long bytes) {
            long before = held.getAndUpdate(now -> Math.min(now, bytes));
            giveBack(Math.max(0, before - bytes));
        }

        @Override
        public void close() {
            giveBack(held.getAndSet(0));
        }
    }
}
