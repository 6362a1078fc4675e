package dev.luq.openai.generation;

import dev.luq.catalog.KeepAlive;
import dev.luq.http.errors.ApiError;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import io.vertx.core.buffer.Buffer;
import java.util.Optional;

/** One request of an endpoint that generates, and the form of its answer. */
public interface Exchange extends Addressed {

    /**
     * Whether the answer is to come as events: known before the request is validated, as its model may have to be
     * loaded.
     */
    boolean stream();

    /** How long the model is to stay loaded after this request; empty for as long as configured. */
    default Optional<KeepAlive> keepAlive() {
        return Optional.empty();
    }

    /**
     * Whether a whole answer tells the prompt, where the endpoint has that.
     *
     * @param configured whether it does unless the request says something else
     */
    default boolean tellsPrompt(boolean configured) {
        return false;
    }

    /** The event of a stream that fails before the request is validated. */
    default Buffer failure(ApiError error) {
        return JsonEvent.ofError(error);
    }

    /**
     * How often the events at the end of a stream say once more what came before, which is kept until then; 0 where none
     * do.
     */
    default int repeats() {
        return 0;
    }

    /**
     * Called once, before the methods below.
     *
     * @param model what the addressed model is
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    ValidRequest validate(ModelInfo model);

    /** How ids of answers begin, such as {@code chatcmpl-}. */
    String idPrefix();

    /** For a request with {@link ValidRequest#stream}. */
    AnswerEvents events(CompletionHeader header, ValidRequest request);

    /** For a request without. */
    AnswerBuilder answer(CompletionHeader header, ValidRequest request);
}
