package dev.luq.engine;

import dev.luq.prompt.PromptException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** The queries in flight: each is answered once, whoever comes first, its work or its cancellation. Thread-safe. */
final class InFlightQueries {

    private static final System.Logger LOG = System.getLogger(InFlightQueries.class.getName());

    private static final class InFlight {
        final Consumer<EngineException> failed;
        /** Takes the work back while it waits for a thread. */
        volatile Runnable drop = () -> {};

        InFlight(Consumer<EngineException> failed) {
            this.failed = failed;
        }
    }

    private final PromptThreads threads;
    private final WorkListener work;
    /** By id. */
    private final Map<String, InFlight> inFlight = new ConcurrentHashMap<>();

    private volatile boolean closed;

    /** @param work told about them as about prompts */
    InFlightQueries(PromptThreads threads, WorkListener work) {
        this.threads = threads;
        this.work = work;
    }

    <T> void submit(Query<T> query, Consumer<T> answered, Consumer<EngineException> failed) {
        InFlight begun = new InFlight(failed);
        if (begin(query.id(), begun)) {
            try {
                begun.drop = threads.executeQuery(
                        query.client(), query.length(), query.images(), () -> run(query, answered));
            } catch (RejectedExecutionException e) {
                cancel(query.id()); // closed meanwhile
            }
            if (inFlight.get(query.id()) != begun) {
                begun.drop.run(); // cancelled meanwhile
            }
        }
    }

    /** @return false when the id is in use or the engine closes: it has failed */
    boolean begin(String id, Consumer<EngineException> failed) {
        return begin(id, new InFlight(failed));
    }

    private boolean begin(String id, InFlight begun) {
        if (inFlight.putIfAbsent(id, begun) != null) {
            begun.failed.accept(new EngineException.Internal("The request's id is in use.", null));
            return false;
        }
        if (closed) {
            cancel(id);
        }
        return !closed;
    }

    private <T> void run(Query<T> query, Consumer<T> answered) {
        if (!inFlight.containsKey(query.id())) {
            return;
        }
        work.begins(WorkListener.Work.PROMPT, List.of(query.id()));
        try {
            T answer = query.work().get();
            if (end(query.id())) {
                answered.accept(answer);
            }
        } catch (RuntimeException | Error e) {
            fail(query.id(), e);
        } finally {
            work.ends(WorkListener.Work.PROMPT);
        }
    }

    /** @return whether it was in flight: the caller answers it */
    boolean end(String id) {
        return inFlight.remove(id) != null;
    }

    private void fail(String id, Throwable cause) {
        InFlight failed = inFlight.remove(id);
        if (failed != null) {
            failed.drop.run(); // first: after the answer nobody counts its pixels and texts any more
            if (!(cause instanceof EngineException || cause instanceof PromptException)) {
                LOG.log(System.Logger.Level.ERROR, "A query failed", cause);
            }
            failed.failed.accept(EngineException.of(cause));
        }
    }

    /** Unknown ids are ignored. */
    void cancel(String id) {
        fail(id, new EngineException.Cancelled());
    }

    /** Ends all of them, and those that come later. */
    void close() {
        closed = true;
        inFlight.keySet().forEach(this::cancel);
    }
}
