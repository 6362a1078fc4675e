package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.errors.ApiError;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.MultiSubscriber;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.concurrent.Flow;
import java.util.function.Function;

/**
 * A streamed answer between its first frame and its last byte. It asks for a frame only when the client's connection
 * takes more bytes, and cancels the generation when the client is gone or reads nothing for too long. When there is
 * nothing to send for some time, a comment says how far the request is.
 * INVARIANT: everything after construction happens on the event loop of the request. Signals are handed to it one by
 * one: an operator that queues them would drop what is queued when a failure follows.
 */
final class AnswerStream implements MultiSubscriber<ChoiceFrame> {

    /** No timer's id. */
    private static final long NONE = -1;

    private final AnswerEvents events;
    private final Function<Throwable, ApiError> errors;
    private final Duration stalledClientTimeout;
    private final Context context;
    private final UniEmitter<? super AnswerStream> opened;
    /** A timer that ticks each interval of comments. */
    private final long ticker;
    /** A timer that runs while the client's connection takes no more bytes; {@link #NONE} while it does. */
    private long stalled = NONE;

    private Flow.Subscription subscription;
    private boolean isOpen;
    /** Events of progress before the answer began: some frames' at most. */
    private final Buffer early = Buffer.buffer();
    /** Came before the answer began; null if none did. */
    private ChoiceFrame first;
    /** The latest frame; null before it. */
    private WorkerFrame.OfRequest latest;
    /** Whether nothing was sent since the latest tick. */
    private boolean quiet;

    private HttpConnection connection;
    private HttpServerResponse response;
    private Runnable whenDone;
    private Throwable failure;
    private boolean complete;
    private boolean abandoned;

    private AnswerStream(
            AnswerEvents events,
            Function<Throwable, ApiError> errors,
            Duration stalledClientTimeout,
            Duration keepAlive,
            Context context,
            UniEmitter<? super AnswerStream> opened) {
        this.events = events;
        this.errors = errors;
        this.stalledClientTimeout = stalledClientTimeout;
        this.context = context;
        this.opened = opened;
        this.ticker = context.owner().setPeriodic(keepAlive.toMillis(), tick -> context.runOnContext(turn -> tick()));
    }

    /**
     * Starts the generation and waits until the model works on it, so that what is refused before can still be answered
     * with a status of its own; but not longer than the interval of comments.
     *
     * @param errors what a client is told of a failure
     * @param keepAlive interval of comments
     * @param context the request's event loop
     * @param client when it leaves, the generation is cancelled
     * @return fails with what the generation fails with before that; gives nothing when the client leaves before
     */
    static Uni<AnswerStream> open(
            Multi<ChoiceFrame> frames,
            AnswerEvents events,
            Function<Throwable, ApiError> errors,
            Duration stalledClientTimeout,
            Duration keepAlive,
            Context context,
            ClientPresence client) {
        return Uni.createFrom().emitter(emitter -> {
            AnswerStream stream = new AnswerStream(events, errors, stalledClientTimeout, keepAlive, context, emitter);
            frames.subscribe().withSubscriber(stream);
            client.whenGone(() -> context.runOnContext(ignored -> stream.abandon()));
        });
    }

    /**
     * Begins to write.
     *
     * @param done called once, after the last byte or the end of the connection
     */
    void writeTo(HttpServerRequest request, Runnable done) {
        context.runOnContext(ignored -> {
            if (abandoned) {
                done.run();
                return;
            }
            connection = request.connection();
            response = request.response();
            whenDone = done;
            response.setChunked(true);
            if (early.length() > 0) {
                response.write(early);
            }
            if (first == null) {
                response.write(events.keepAlive(latest));
            } else {
                response.write(events.of(first));
            }
            if (failure != null || complete) {
                end();
            } else if (first != null) {
                requestNext();
            }
        });
    }

    /** The answer begins. */
    private void open() {
        if (!isOpen) {
            isOpen = true;
            opened.complete(this);
        }
    }

    private void tick() {
        if (abandoned || failure != null || complete) {
            return;
        }
        open();
        if (response != null && quiet && !response.writeQueueFull()) {
            response.write(events.keepAlive(latest));
        }
        quiet = true;
    }

    @Override
    public void onSubscribe(Flow.Subscription s) {
        context.runOnContext(ignored -> {
            subscription = s;
            s.request(1);
        });
    }

    @Override
    public void onItem(ChoiceFrame frame) {
        context.runOnContext(ignored -> {
            if (abandoned) {
                return;
            }
            latest = frame.frame();
            if (latest instanceof WorkerFrame.Progress progress) {
                report(events.of(frame));
                if (progress.phase() != WorkerFrame.Phase.QUEUED) { // while it waits it may still be refused
                    open();
                }
                subscription.request(1);
            } else if (response == null) {
                first = frame;
                open();
            } else {
                response.write(events.of(frame));
                quiet = false;
                requestNext();
            }
        });
    }

    private void report(Buffer progress) {
        if (response == null) {
            early.appendBuffer(progress);
        } else if (progress.length() > 0) {
            response.write(progress);
            quiet = false;
        }
    }

    @Override
    public void onFailure(Throwable t) {
        context.runOnContext(ignored -> ended(t));
    }

    @Override
    public void onCompletion() {
        context.runOnContext(ignored -> ended(null));
    }

    private void ended(Throwable cause) {
        if (abandoned) {
            return;
        }
        failure = cause;
        complete = cause == null;
        if (!isOpen) {
            context.owner().cancelTimer(ticker);
            opened.fail(complete ? new IllegalStateException("a generation ended without a frame") : cause);
        } else if (response != null) {
            end();
        }
    }

    private void requestNext() {
        if (!response.writeQueueFull()) {
            subscription.request(1);
            return;
        }
        stalled = context.owner().setTimer(stalledClientTimeout.toMillis(), timer -> disconnect());
        response.drainHandler(drained -> {
            stopStalled();
            response.drainHandler(null);
            subscription.request(1);
        });
    }

    private void stopStalled() {
        context.owner().cancelTimer(stalled);
        stalled = NONE;
    }

    private void end() {
        response.end(failure == null ? events.end() : events.failure(errors.apply(failure)));
        finish();
    }

    private void disconnect() {
        if (abandoned) {
            return;
        }
        abandon();
        if (response.streamId() >= 0) {
            response.reset();
        } else {
            // Vert.x would close the connection after the last byte is written; this client takes none.
            ((ConnectionBase) connection).channel().close();
        }
    }

    /** The client reads no more. */
    private void abandon() {
        abandoned = true;
        subscription.cancel();
        finish();
    }

    private void finish() {
        context.owner().cancelTimer(ticker);
        stopStalled();
        Runnable done = whenDone;
        whenDone = null;
        if (done != null) {
            done.run();
        }
    }
}
