package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.ModelInfo;

/** One request of an endpoint that generates, and the form of its answer. */
public interface Exchange extends Addressed {

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
