package dev.luq.serving;

import dev.luq.catalog.KeepAlive;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;

/**
 * One served model and the supervised process behind it, as the rest of the server sees them. Thread-safe; owned by
 * {@link ModelWorkers}.
 */
public interface ModelWorker {

    /** Where the process stands. */
    enum State {
        /** The process starts or loads its model for the first time. */
        LOADING,
        /** Requests are answered. */
        READY,
        /** The process died; its successor is not ready yet. */
        RESTARTING,
        /** The model cannot be served; {@link #failure()} says why. No successor is started. */
        FAILED,
        /** Running requests end, new ones are refused. */
        DRAINING,
        /** One process makes room for another; requests wait for it. */
        SWAPPING,
        /** No process serves the model; {@link #isOnDemand()} says whether a request is enough to change that. */
        UNLOADED
    }

    /**
     * A model's stay in memory.
     *
     * @param lastUsed when its latest request came or ended; empty before the first
     * @param keepAlive how long it stays after that
     * @param measuredBytes what its processes take now; 0 without any
     */
    record Residence(Optional<Instant> lastUsed, KeepAlive keepAlive, long measuredBytes) {

        /** Of a worker by itself, which others load and end. */
        public static final Residence UNKNOWN = new Residence(Optional.empty(), KeepAlive.NEVER, 0);
    }

    /** The model's id in the API. */
    String modelId();

    State state();

    /** What the loaded model is; empty until it was ready once. */
    Optional<WorkerFrame.ModelInfo> info();

    /** Counters added up over all processes that served this model; gauges of the current one, 0 while there is none. */
    WorkerFrame.EngineStats totals();

    /** Why the state is FAILED, without paths. */
    Optional<String> failure();

    /** How often the process was started again after it died. */
    long restarts();

    /** Requests that run or wait, be it for the model to be loaded. */
    int inFlight();

    /** Share of the model that is loaded, 0..1; 0 while it waits for memory. */
    default float loadProgress() {
        return 0;
    }

    /** Whether the next request loads it when it is not loaded. */
    default boolean isOnDemand() {
        return false;
    }

    /** Whether a request to it is answered, if need be after a while. */
    default boolean isServing() {
        return switch (state()) {
            case READY, SWAPPING -> true;
            case UNLOADED, LOADING -> isOnDemand();
            case RESTARTING, FAILED, DRAINING -> false;
        };
    }

    /** Of the requests in flight, those that hold no slot yet, also on their way to the process. */
    default int waiting() {
        return Math.max(0, inFlight() - totals().running());
    }

    default Residence residence() {
        return Residence.UNKNOWN;
    }

    /**
     * Does something with the model as soon as it is loaded, and has it loaded if need be; until that ends the model is
     * not unloaded for being idle or for another one. Nothing happens before the subscription; cancelling it is leaving
     * the queue. Fails with a {@link WorkerException}, after {@link WorkerConfig#loadWait()} at the latest: {@code
     * NotReady}, {@code DoesNotFit} or {@code QueueFull}. Whoever had to wait goes on on a worker thread.
     *
     * @param client who waits; of those who do the one with most gives way. Null for the server itself
     * @param keepAlive how long the model stays afterwards; empty for as long as configured
     * @param work gets what the loaded model is
     */
    default <T> Multi<T> whenLoaded(
            String client, Optional<KeepAlive> keepAlive, Function<WorkerFrame.ModelInfo, Multi<T>> work) {
        return Multi.createFrom().deferred(() -> info().map(work).orElseGet(() -> Multi.createFrom()
                .failure(new WorkerException.NotReady(state(), "The model " + modelId() + " is not loaded"))));
    }

    /** Process id of the running worker; empty when there is none. */
    Optional<Long> pid();

    /**
     * Starts a generation when subscribed to. Items come in the order of {@link WorkerFrame}; the stream completes
     * after {@code Finished}. It fails with a {@link WorkerException}: every failure, also a {@code Failed} frame,
     * arrives that way. Cancelling the subscription cancels the generation.
     * A permit is taken at subscription and lives until the generation ends or the stream is cancelled.
     * Signals come on the thread that reads from the worker, or on the one that requests: the subscriber returns at
     * once. One that lags behind by more than {@link WorkerConfig#streamBuffer()} items, because it requests no more,
     * is cut off with {@link WorkerException.SlowReader}.
     *
     * @param request its id is unique among all requests
     */
    default Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate request) {
        return Multi.createFrom().deferred(() -> generate(request, new InFlightAnswer()));
    }

    /**
     * The same for one of several choices.
     *
     * @param answer what it has in common with the others
     */
    Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate request, InFlightAnswer answer);

    /**
     * Asks the worker for what it knows without generating, when subscribed to. Fails as a generation does, and as it
     * takes a permit, of which there are as many as for generations. Cancelling the subscription cancels the query.
     * The answer comes on the thread that reads from the worker: the subscriber returns at once.
     *
     * @param query its id is unique among all requests
     */
    default <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> query) {
        return Uni.createFrom().deferred(() -> query(query, new InFlightAnswer()));
    }

    /**
     * The same for one of several queries, one after the other.
     *
     * @param answer what it has in common with the others
     */
    <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> query, InFlightAnswer answer);
}
