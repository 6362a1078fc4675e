package dev.luq.protocol;

/**
 * What requests to a model get where they say nothing. Null for what the API says of all models; ranges are those of
 * {@link Sampling}.
 *
 * @param maxTokens 1 or more
 * @param seed of requests that bring none
 * @param systemPrompt put before conversations that have no system message
 * @param enableThinking whether a model that can think does before it answers
 */
public record ModelDefaults(
        Double temperature,
        Double topP,
        Integer topK,
        Double minP,
        Double repeatPenalty,
        Integer maxTokens,
        Long seed,
        String systemPrompt,
        Boolean enableThinking) {

    /** Of a model without any. */
    public static final ModelDefaults NONE = new ModelDefaults(null, null, null, null, null, null, null, null, null);
}
