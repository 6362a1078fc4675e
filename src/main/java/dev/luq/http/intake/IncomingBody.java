package dev.luq.http.intake;

import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.errors.ApiException.RequestTimeout;
import dev.luq.http.errors.ApiException.RequestTooLarge;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;

/**
 * A body on its way in: counted, and given up when it becomes too large or comes too slowly. Holds no thread while it
 * waits. Everything happens on the request's event loop, but for {@link #fail}.
 */
final class IncomingBody {

    /** Where the bytes go. Called on the request's event loop. */
    interface Sink {
        /** @throws RuntimeException to refuse the body with it */
        void take(Buffer bytes);

        /** The last byte was taken. */
        void complete();

        /** There will be no more: the client is too slow, left, or sends too much; or the sink failed. */
        void failed(Throwable failure);
    }

    private final HttpServerRequest request;
    private final long limit;
    private final BodyRate rate;
    private final Sink sink;
    private final Context context;
    private final long begun = System.nanoTime();

    private long windowTimer;
    private long deadlineTimer;
    private long received;
    private long receivedBeforeWindow;
    private volatile long latest = begun;
    private boolean ended;

    /**
     * @param context the request's event loop
     * @param limit bytes at most
     */
    IncomingBody(HttpServerRequest request, Context context, long limit, BodyRate rate, Sink sink) {
        this.request = request;
        this.limit = limit;
        this.rate = rate;
        this.sink = sink;
        this.context = context;
    }

    /** Begins to read. Called on the request's event loop. */
    void begin() {
        if (request.response().closed()) {
            end(new ClientGone());
        } else if (request.isEnded()) {
            end(null);
        } else {
            listen();
        }
    }

    private void listen() {
        Vertx vertx = context.owner();
        windowTimer = vertx.setPeriodic(rate.window().toMillis(), timer -> checkRate());
        deadlineTimer = vertx.setTimer(
                rate.deadline().toMillis(),
                timer -> end(new RequestTimeout("The request body did not come to its end within "
                        + rate.deadline().toSeconds() + " seconds")));
        request.exceptionHandler(failure -> end(new ClientGone()));
        request.endHandler(last -> end(null));
        request.handler(this::arrived);
        if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
            request.response().writeContinue();
        }
        request.resume();
    }

    private void arrived(Buffer bytes) {
        if (ended) {
            return;
        }
        received += bytes.length();
        latest = System.nanoTime();
        if (received > limit) {
            end(new RequestTooLarge(limit));
            return;
        }
        try {
            sink.take(bytes);
        } catch (RuntimeException failure) {
            end(failure);
        }
    }

    private void checkRate() {
        if (received - receivedBeforeWindow < rate.perWindow()) {
            end(new RequestTimeout(
                    "The request body came too slowly: at least " + rate.minRate() + " bytes a second are needed"));
        }
        receivedBeforeWindow = received;
    }

    /** Ends it from any thread, soon; does nothing when it has ended. */
    void fail(RuntimeException failure) {
        context.runOnContext(turn -> end(failure));
    }

    /** Since it has begun to come. */
    long nanos() {
        return System.nanoTime() - begun;
    }

    /** Since something has come. */
    long idleNanos() {
        return System.nanoTime() - latest;
    }

    /** The bytes are not taken at this moment; it is not the client who is slow. */
    void pause() {
        request.pause();
        context.owner().cancelTimer(windowTimer);
    }

    void resume() {
        if (!ended) {
            receivedBeforeWindow = received;
            windowTimer = context.owner().setPeriodic(rate.window().toMillis(), timer -> checkRate());
            request.resume();
        }
    }

    private void end(RuntimeException failure) {
        if (ended) {
            return;
        }
        ended = true;
        context.owner().cancelTimer(windowTimer);
        context.owner().cancelTimer(deadlineTimer);
        if (failure == null) {
            sink.complete();
        } else {
            sink.failed(failure);
        }
    }
}
