package dev.luq.http;

import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.IntakeBudget;
import io.netty.buffer.ByteBuf;
import io.quarkus.vertx.utils.NoBoundChecksBuffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Supplier;

/**
 * What the answer to a request holds of the {@link IntakeBudget}: first what it is made of, then its bytes until the
 * client's socket has taken the last one. Given back with the request where nothing is sent. Thread-safe.
 */
public final class AnswerShare {

    /** Bytes of each answer that are not counted, so that one of ordinary size is never refused for others. */
    static final int UNCOUNTED = 64 << 10;

    private static final String KEY = "luq.answer-share";

    private final Supplier<IntakeBudget.Share> opened;
    // guarded by this
    /** Null while nothing is counted. */
    private IntakeBudget.Share share;

    private long parts;
    private long expected;
    private long written;
    private boolean sending;
    private boolean closed;

    /** @param opened gives an empty one when something is to be counted; closed with this */
    AnswerShare(Supplier<IntakeBudget.Share> opened) {
        this.opened = opened;
    }

    /** Begins with the request. */
    static void begin(RoutingContext routing, IntakeBudget budget) {
        // A rerouted request comes by twice.
        if (routing.get(KEY) == null) {
            // Who makes the request is known later.
            AnswerShare answer = new AnswerShare(() -> budget.ofAnswer(Caller.clientOf(routing)));
            routing.put(KEY, answer);
            routing.addEndHandler(end -> answer.ended());
        }
    }

    /** That of a request that came through {@link HttpRoutes}. */
    public static AnswerShare of(RoutingContext routing) {
        return routing.get(KEY);
    }

    /**
     * Counts something that the answer will be made of.
     *
     * @param bytes that it takes until the answer is sent
     * @param json bytes that it will be written as, which are reserved so that no work is in vain
     * @throws InvalidRequest if the answer never fits
     * @throws Busy if it does not fit now
     * @throws ClientGone if the client has left and it would have to be counted
     */
    public synchronized void add(long bytes, long json) {
        parts += bytes;
        expected += json;
        hold();
    }

    /**
     * Counts bytes that are about to be written.
     *
     * @throws InvalidRequest if the answer never fits
     * @throws Busy if it does not fit now
     * @throws ClientGone if the client has left and they would have to be counted
     */
    synchronized void write(long bytes) {
        written += bytes;
        hold();
    }

    private void hold() {
        long more = parts + Math.max(expected, written) - UNCOUNTED - (share == null ? 0 : share.held());
        if (more > 0) {
            if (closed) {
                throw new ClientGone();
            }
            if (share == null) {
                share = opened.get();
            }
            share.grow(more);
        }
    }

    /**
     * Ends the response with the answer; what that was made of counts no longer.
     *
     * @param answer owned by the response from now on, which releases it
     */
    void send(ByteBuf answer, HttpServerResponse response) {
        synchronized (this) {
            if (share != null) {
                share.shrinkTo(Math.max(0, answer.readableBytes() - UNCOUNTED));
            }
            sending = true;
        }
        try {
            response.end(new NoBoundChecksBuffer(answer)).onComplete(sent -> close());
        } catch (IllegalStateException ended) {
            answer.release();
            close();
            throw ended;
        }
    }

    /** Sent or not, the request is over. */
    private synchronized void ended() {
        if (!sending) {
            close();
        }
    }

    private synchronized void close() {
        closed = true;
        if (share != null) {
            share.close();
        }
    }
}
