package dev.luq.http.intake;

import dev.luq.http.errors.ApiException.ClientGone;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;

/**
 * A request's body in memory, charged to the {@link IntakeBudget} for what was received of it, for what parsing takes
 * once that begins, and for the objects and the text that are left of it then. Filled by one thread, then read by another,
 * once; closed by any, any number of times, such as when the client leaves. Who works with the text meanwhile holds it: so
 * long it counts.
 */
public final class ReceivedBody implements AutoCloseable {

    /** Of bodies without bytes. */
    private static final IntakeBudget NOTHING = new IntakeBudget(0, 0);

    /** While a body is parsed its text exists as characters of two bytes, as strings and as decoded bytes, beside objects. */
    static final int BYTES_PER_PARSED_BYTE = 4;

    private static final String KEY = "luq.received-body";
    private static final int FIRST_SEGMENT = 4096;
    private static final int LARGEST_SEGMENT = 1 << 20;

    private final IntakeBudget.Share share;
    private final long expected;
    /** Bytes as they came, in segments of our own: what the network delivers may be many tiny pieces. */
    private final Deque<byte[]> segments = new ArrayDeque<>();

    private final JsonWeight weight = new JsonWeight();

    private int lastFilled;
    private long size;
    private Runnable whenParsed = () -> {};
    // guarded by this
    private int holds;
    private boolean closed;

    /**
     * @param share grows with the body; closed with it
     * @param expected bytes as announced; 0 when unknown
     */
    ReceivedBody(IntakeBudget.Share share, long expected) {
        this.share = share;
        this.expected = expected;
    }

    /** The body of a request that came through {@link BodyIntake}; an empty one for a request without. */
    public static ReceivedBody of(RoutingContext routing) {
        return Objects.requireNonNullElseGet(routing.get(KEY), () -> new ReceivedBody(NOTHING.reserve("", 0), 0));
    }

    void putOn(RoutingContext routing) {
        routing.put(KEY, this);
    }

    /**
     * @throws dev.luq.http.errors.ApiException.Busy when there is no memory for it; nothing of these bytes is taken then
     */
    void append(Buffer bytes, int from) {
        int taken = from;
        while (taken < bytes.length()) {
            if (segments.isEmpty() || lastFilled == segments.getLast().length) {
                int next = nextSegment(bytes.length() - taken);
                share.grow(next);
                segments.add(new byte[next]);
                lastFilled = 0;
            }
            byte[] segment = segments.getLast();
            int count = Math.min(segment.length - lastFilled, bytes.length() - taken);
            bytes.getBytes(taken, taken + count, segment, lastFilled);
            weight.add(segment, lastFilled, lastFilled + count);
            taken += count;
            lastFilled += count;
            size += count;
        }
    }

    /** As large as what is there already, so that there are few; no larger than what is announced. */
    private int nextSegment(int arrived) {
        long wanted = Math.max(Math.max(FIRST_SEGMENT, arrived), Math.min(size, LARGEST_SEGMENT));
        long announced = expected - size;
        return (int) (announced >= arrived ? Math.min(wanted, announced) : wanted);
    }

    /** Bytes received so far. */
    long size() {
        return size;
    }

    /** @throws dev.luq.http.errors.ApiException.Busy when there is no memory for parsing it */
    void chargeParsing() {
        share.grow((BYTES_PER_PARSED_BYTE - 1) * size + weight.objects());
    }

    /** @param action run once, when the stream is closed or this is */
    void whenParsed(Runnable action) {
        whenParsed = action;
    }

    /** The bytes, which are given up as they are read. Closing the stream says that parsing has ended. */
    InputStream stream() {
        return new Segments();
    }

    /** Whose it is. */
    String client() {
        return share.client();
    }

    /** Bytes that it is charged for now. */
    long held() {
        return share.held();
    }

    private synchronized void parsed() {
        // Whoever read it holds on to that.
        share.shrinkTo(weight.text() + weight.objects());
        Runnable action = whenParsed;
        whenParsed = () -> {};
        action.run();
    }

    /**
     * Keeps the memory counted whatever becomes of the client.
     *
     * @return to be closed by whoever has done with the text
     * @throws ClientGone when the body is closed already
     */
    public synchronized Hold hold() {
        if (closed) {
            throw new ClientGone();
        }
        holds++;
        return new Hold();
    }

    /** Gives the memory back, as soon as nobody holds the text. */
    @Override
    public synchronized void close() {
        closed = true;
        giveBack();
    }

    private void giveBack() {
        if (closed && holds == 0) {
            segments.clear();
            parsed();
            share.close();
        }
    }

    /** By one that works with the text. */
    public final class Hold implements AutoCloseable {

        private Hold() {}

        /** Once. */
        @Override
        public void close() {
            synchronized (ReceivedBody.this) {
                holds--;
                giveBack();
            }
        }
    }

    private final class Segments extends InputStream {
        private byte[] current = new byte[0];
        private int next;
        private int end;

        @Override
        public int read() {
            return fill() ? current[next++] & 0xff : -1;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            Objects.checkFromIndexSize(offset, length, buffer.length);
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, end - next);
            System.arraycopy(current, next, buffer, offset, count);
            next += count;
            return count;
        }

        @Override
        public int available() {
            return end - next;
        }

        @Override
        public void close() {
            parsed();
        }

        /** @return whether there is a byte */
        private boolean fill() {
            if (next == end) {
                // A body may be closed by others while it is read.
                synchronized (ReceivedBody.this) {
                    if (!segments.isEmpty()) {
                        current = segments.remove();
                        next = 0;
                        end = segments.isEmpty() ? lastFilled : current.length;
                    }
                }
            }
            return next < end;
        }
    }
}
