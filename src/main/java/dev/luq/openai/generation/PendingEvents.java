package dev.luq.openai.generation;

import dev.luq.http.errors.ApiError;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.serving.ModelWorker;
import io.vertx.core.buffer.Buffer;

/** The events of an answer whose request is validated when its model is loaded; until then there are comments alone. */
final class PendingEvents implements AnswerEvents {

    private final Exchange exchange;
    private final ModelWorker worker;
    /** Null until the request is validated. */
    private volatile AnswerEvents validated;

    PendingEvents(Exchange exchange, ModelWorker worker) {
        this.exchange = exchange;
        this.worker = worker;
    }

    /** Comes before the first frame. */
    void validated(AnswerEvents events) {
        validated = events;
    }

    @Override
    public Buffer of(ChoiceFrame frame) {
        return validated.of(frame);
    }

    @Override
    public Buffer end() {
        return validated.end();
    }

    @Override
    public Buffer failure(ApiError error) {
        AnswerEvents events = validated;
        return events == null ? exchange.failure(error) : events.failure(error);
    }

    @Override
    public Buffer keepAlive(OfRequest latest) {
        AnswerEvents events = validated;
        if (events != null) {
            return events.keepAlive(latest);
        }
        return worker.state() == ModelWorker.State.LOADING
                ? Buffer.buffer(": loading " + (int) (100 * worker.loadProgress()) + " %\n\n")
                : AnswerEvents.super.keepAlive(latest);
    }
}
