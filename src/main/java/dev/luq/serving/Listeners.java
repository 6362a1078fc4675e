package dev.luq.serving;

import dev.luq.protocol.WorkerFrame;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** Calls all listeners; one that fails is logged, and the others are called all the same. */
record Listeners(List<GenerationListener> listeners) implements GenerationListener {

    private static final Logger LOG = Logger.getLogger(Listeners.class);

    private void each(Consumer<GenerationListener> event) {
        for (GenerationListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (RuntimeException e) {
                LOG.error("A generation listener failed", e);
            }
        }
    }

    @Override
    public void rejected(String modelId, String reason) {
        each(listener -> listener.rejected(modelId, reason));
    }

    @Override
    public void firstToken(String modelId, Duration sinceArrival) {
        each(listener -> listener.firstToken(modelId, sinceArrival));
    }

    @Override
    public void nextToken(String modelId, Duration sincePrevious) {
        each(listener -> listener.nextToken(modelId, sincePrevious));
    }

    @Override
    public void ended(
            String modelId,
            String finishReason,
            Duration total,
            WorkerFrame.Accepted accepted,
            WorkerFrame.Finished finished) {
        each(listener -> listener.ended(modelId, finishReason, total, accepted, finished));
    }

    @Override
    public void workerDied(String modelId, String signal) {
        each(listener -> listener.workerDied(modelId, signal));
    }
}
