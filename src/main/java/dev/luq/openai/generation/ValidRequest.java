package dev.luq.openai.generation;

import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import java.util.List;

/**
 * A request that is valid and fits its model, whichever endpoint it came to.
 *
 * @param choices to generate, 1 or more
 * @param maxTokens to generate at most for each choice; 0 for as many as the context holds
 * @param stops possibly empty
 * @param topLogprobs {@link #NO_LOGPROBS}, or alternatives per token, 0 or more
 * @param cachePrompt whether a cached prefix may be reused
 * @param cacheSalt null when caches are to be shared as usual
 * @param stream whether the answer comes as events
 * @param includeUsage whether the events end with the usage, where the endpoint leaves the choice
 * @param continuousUsage whether each event has the usage so far, where the endpoint leaves the choice
 * @param timings whether to report where the time went
 */
public record ValidRequest(
        Prompt prompt,
        int choices,
        Sampling sampling,
        int maxTokens,
        List<String> stops,
        int topLogprobs,
        boolean cachePrompt,
        String cacheSalt,
        boolean stream,
        boolean includeUsage,
        boolean continuousUsage,
        boolean timings) {

    /** No log probabilities. */
    public static final int NO_LOGPROBS = -1;

    /** Whether log probabilities were asked for. */
    public boolean logprobs() {
        return topLogprobs != NO_LOGPROBS;
    }

    /** In the order of their places. */
    public List<ImageReference> images() {
        return prompt.images();
    }

    /**
     * @param id unique among all requests
     * @param choice 0..choices-1; with a seed, choice i is generated from seed + i
     * @param decoded the images, in the order of {@link #images()}
     */
    public ServerFrame.Generate generate(String id, int choice, List<ServerFrame.Image> decoded) {
        Sampling own = sampling.seed() == null || choice == 0
                ? sampling
                : new Sampling(
                        sampling.temperature(),
                        sampling.topP(),
                        sampling.topK(),
                        sampling.minP(),
                        sampling.frequencyPenalty(),
                        sampling.presencePenalty(),
                        sampling.repeatPenalty(),
                        sampling.seed() + choice,
                        sampling.logitBias());
        String chat = ((Prompt.Chat) prompt).json();
        return new ServerFrame.Generate(id, chat, decoded, own, maxTokens, stops, topLogprobs, cachePrompt);
    }
}
