package dev.luq.serving;

import dev.luq.protocol.ImagePixels;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import io.smallrye.mutiny.subscription.MultiEmitter;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A generation or query that asks for or holds a permit. The times of its tokens belong to the worker's reading
 * thread, the deadline to the lock of whoever holds its permit.
 */
final class InFlightRequest {

    final ServerFrame.OfRequest frame;
    final MultiEmitter<? super WorkerFrame.OfRequest> stream;
    /** What it is a generation or query of. */
    final InFlightAnswer answer;

    final String contentKey;
    /** Who it is for; the server itself is one too. */
    final String client;

    /** Bytes of its pixels; choices of one answer share them. */
    final Map<ImagePixels, Integer> images;
    /** Of its texts and tokens, as they wait for the engine. */
    final long textBytes;

    /** Pieces given to the stream that its reader has not taken yet. */
    final AtomicInteger unread;

    private final String modelId;
    private final GenerationListener listener;
    /** {@link System#nanoTime()}; 0 before the first. */
    private long lastToken;

    private volatile WorkerFrame.Accepted accepted;
    private volatile InFlightRequests inFlight;
    private Future<?> deadline;

    private InFlightRequest(
            String modelId,
            ServerFrame.OfRequest request,
            InFlightAnswer answer,
            GenerationListener listener,
            MultiEmitter<? super WorkerFrame.OfRequest> stream,
            AtomicInteger unread) {
        this.modelId = modelId;
        this.frame = request;
        this.answer = answer;
        this.listener = listener;
        this.stream = stream;
        this.unread = unread;
        this.contentKey = Quarantine.key(request);
        this.client = Objects.requireNonNullElse(request.client(), "");
        this.images = request.images().stream()
                .collect(Collectors.toMap(
                        ServerFrame.Image::pixels, image -> image.rgb().length, (bytes, same) -> bytes));
        this.textBytes = request.prompt().bytes();
    }

    /** A stream that submits a request for each of its subscribers. */
    static Multi<WorkerFrame.OfRequest> stream(
            String modelId,
            ServerFrame.OfRequest request,
            InFlightAnswer answer,
            GenerationListener listener,
            Consumer<InFlightRequest> submit) {
        return Multi.createFrom().deferred(() -> {
            AtomicInteger unread = new AtomicInteger();
            return Multi.createFrom()
                    .<WorkerFrame.OfRequest>emitter(
                            stream -> submit.accept(
                                    new InFlightRequest(modelId, request, answer, listener, stream, unread)),
                            BackPressureStrategy.BUFFER) // bounded by InFlightRequests.give()
                    .onItem()
                    .invoke(unread::decrementAndGet);
        });
    }

    /** The answer to a query, which is submitted for each subscriber. */
    @SuppressWarnings("unchecked") // a worker answers a query with what the query says
    static <R extends WorkerFrame.QueryResult> Uni<R> answer(
            String modelId,
            ServerFrame.Query<R> query,
            InFlightAnswer answer,
            GenerationListener listener,
            Consumer<InFlightRequest> submit) {
        return stream(modelId, query, answer, listener, submit).toUni().map(frame -> (R) frame);
    }

    String id() {
        return frame.id();
    }

    /** Whether it generates nothing. */
    boolean isQuery() {
        return frame instanceof ServerFrame.Query;
    }

    void deadline(Future<?> timer) {
        deadline = timer;
    }

    void stopDeadline() {
        deadline.cancel(false);
    }

    /** What is left of the longest time that an answer may take, in milliseconds. */
    long remainingMillis(Duration longest) {
        return Math.max(0, longest.minus(answer.age()).toMillis());
    }

    void admitted(InFlightRequests ofWorker) {
        inFlight = ofWorker;
    }

    /** @return where the worker that has it keeps it; null while it waits for a worker */
    InFlightRequests inFlight() {
        return inFlight;
    }

    void accepted(WorkerFrame.Accepted told) {
        accepted = told;
    }

    /** Ends the stream of a request that got no permit. */
    void refuse(Permits.Refusal refusal) {
        listener.rejected(modelId, refusal.reason());
        stream.fail(refusal.exception());
    }

    /** Tells the listener about a token that arrived now. */
    void token() {
        long now = System.nanoTime();
        if (lastToken == 0) {
            listener.firstToken(modelId, answer.age());
        } else {
            listener.nextToken(modelId, Duration.ofNanos(now - lastToken));
        }
        lastToken = now;
    }

    /**
     * Tells the listener about the end of a generation.
     *
     * @param finished null unless it ended well
     */
    void ended(String reason, WorkerFrame.Finished finished) {
        if (!isQuery()) {
            listener.ended(modelId, reason, answer.age(), accepted, finished);
        }
    }

    /** Ends the stream of a request whose permit was taken back. */
    void fail(WorkerException failure) {
        ended("error", null);
        stream.fail(failure);
    }
}
