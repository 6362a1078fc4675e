package dev.luq.openai.generation;

import dev.luq.http.errors.ApiError;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.serving.ModelWorker;
import io.vertx.core.buffer.Buffer;
import java.util.function.Function;

/** The events of an answer whose request is validated when its model is loaded; until then there are comments alone. */
final class PendingEvents implements AnswerEvents {

    private final ModelWorker worker;
    /** Null when the request is validated: it holds the request. */
    private volatile Function<ApiError, Buffer> failure;
    /** Null until the request is validated. */
    private volatile AnswerEvents validated;

    /** @param failure the event of a request that fails before it is validated */
    PendingEvents(Function<ApiError, Buffer> failure, ModelWorker worker) {
        this.failure = failure;
        this.worker = worker;
    }

    /** Comes before the first frame. */
    void validated(AnswerEvents events) {
        validated = events;
        failure = null;
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
        Function<ApiError, Buffer> early = failure;
        return early == null ? validated.failure(error) : early.apply(error);
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
