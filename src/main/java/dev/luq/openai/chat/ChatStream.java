package dev.luq.openai.chat;

import dev.luq.http.ClientPresence;
import dev.luq.http.errors.Errors;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.MultiSubscriber;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Context;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.concurrent.Flow;

/**
 * A streamed answer between its first frame and its last byte. It asks for a frame only when the client's connection
 * takes more bytes, and cancels the generation when the client is gone or reads nothing for too long.
 * INVARIANT: everything after construction happens on the event loop of the request. Signals are handed to it one by
 * one: an operator that queues them would drop what is queued when a failure follows.
 */
final class ChatStream implements MultiSubscriber<ChoiceFrame> {

    private final Chunks chunks;
    private final String requestId;
    private final Duration stalledClientTimeout;
    private final Context context;
    private final UniEmitter<? super ChatStream> opened;

    private Flow.Subscription subscription;
    private ChoiceFrame first;
    private HttpConnection connection;
    private HttpServerResponse response;
    private Runnable whenDone;
    private Throwable failure;
    private boolean complete;
    private boolean abandoned;

    private ChatStream(
            Chunks chunks,
            String requestId,
            Duration stalledClientTimeout,
            Context context,
            UniEmitter<? super ChatStream> opened) {
        this.chunks = chunks;
        this.requestId = requestId;
        this.stalledClientTimeout = stalledClientTimeout;
        this.context = context;
        this.opened = opened;
    }

    /**
     * Starts the generation and waits for its first frame, so that what is refused before can still be answered with
     * a status of its own.
     *
     * @param context the request's event loop
     * @param client when it leaves, the generation is cancelled
     * @return fails with what the generation fails with before its first frame; gives nothing when the client leaves
     *         before that
     */
    static Uni<ChatStream> open(
            Multi<ChoiceFrame> frames,
            Chunks chunks,
            String requestId,
            Duration stalledClientTimeout,
            Context context,
            ClientPresence client) {
        return Uni.createFrom().emitter(emitter -> {
            ChatStream stream = new ChatStream(chunks, requestId, stalledClientTimeout, context, emitter);
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
            response.write(chunks.of(first));
            if (failure != null || complete) {
                end();
            } else {
                requestNext();
            }
        });
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
            if (first == null) {
                first = frame;
                opened.complete(this);
            } else {
                response.write(chunks.of(frame));
                requestNext();
            }
        });
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
        if (first == null) {
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
        long stalled = context.owner().setTimer(stalledClientTimeout.toMillis(), timer -> disconnect());
        response.drainHandler(drained -> {
            context.owner().cancelTimer(stalled);
            response.drainHandler(null);
            subscription.request(1);
        });
    }

    private void end() {
        response.end(failure == null ? chunks.end() : Chunks.failure(Errors.describe(failure, requestId)));
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
        Runnable done = whenDone;
        whenDone = null;
        if (done != null) {
            done.run();
        }
    }
}
