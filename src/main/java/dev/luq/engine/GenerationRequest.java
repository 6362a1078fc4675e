package dev.luq.engine;

import dev.luq.prompt.PromptRequest;
import java.util.List;

/**
 * One generation (one choice), or the embedding of a prompt.
 *
 * @param id unique among the requests in flight
 * @param prompt what is asked
 * @param maxTokens tokens to generate at most; 0 for as many as the context holds
 * @param stop stop strings, possibly empty
 * @param topLogprobs -1 for no log probabilities, else the number of alternatives per token
 * @param cachePrompt whether a cached prefix may be reused
 * @param client who it is for: clients that wait take turns; null is one too
 * @param embeds whether its result is the prompt's embedding: it generates nothing
 */
public record GenerationRequest(
        String id,
        PromptRequest prompt,
        int maxTokens,
        List<String> stop,
        int topLogprobs,
        boolean cachePrompt,
        String client,
        boolean embeds) {

    public GenerationRequest(
            String id,
            PromptRequest prompt,
            int maxTokens,
            List<String> stop,
            int topLogprobs,
            boolean cachePrompt,
            String client) {
        this(id, prompt, maxTokens, stop, topLogprobs, cachePrompt, client, false);
    }

    /** One that asks for an embedding, which neither finds nor leaves anything in the KV cache. */
    public static GenerationRequest embedding(String id, PromptRequest prompt, String client) {
        return new GenerationRequest(id, prompt, 1, List.of(), -1, false, client, true);
    }

    /** The same without its pixels and texts, which are large and not needed once the prompt is prepared. */
    GenerationRequest withoutContent() {
        return new GenerationRequest(
                id, prompt.withoutContent(), maxTokens, stop, topLogprobs, cachePrompt, client, embeds);
    }
}
