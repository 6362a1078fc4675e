package dev.luq.worker;

import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * The model inside a worker. {@link #load} is called once and first; the other methods are called by one thread after
 * it returned, and return at once.
 */
interface ModelHost {

    /**
     * Loads the model and starts to serve it.
     *
     * @param progress takes the share loaded, 0..1
     * @throws LoadException when the model cannot be served
     */
    WorkerFrame.ModelInfo load(ServerFrame.Load load, DoubleConsumer progress) throws LoadException;

    /** @param events takes {@code (progress)* accepted (delta)* (finished | failed)} on threads of the model, and returns at once */
    void submit(ServerFrame.Generate request, Consumer<WorkerFrame.OfRequest> events);

    /** @param events takes the one answer, a {@link WorkerFrame.QueryResult} or {@link WorkerFrame.Failed}, as above */
    void submit(ServerFrame.Query<?> query, Consumer<WorkerFrame.OfRequest> events);

    /** Stops a request wherever it stands; its last event follows. Unknown ids are ignored. */
    void cancel(String id);

    /** A snapshot; may be called from any thread. */
    WorkerFrame.EngineStats stats();
}
