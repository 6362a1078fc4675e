package dev.luq.openai.generation;

import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import java.util.List;

/**
 * A request that is valid and fits its model, whichever endpoint it came to.
 *
 * @param prompts one or more
 * @param choices to generate, the same number for each prompt, one after the other; 1 or more
 * @param maxTokens to generate at most for each choice; 0 for as many as the context holds
 * @param stops possibly empty
 * @param topLogprobs {@link #NO_LOGPROBS}, or alternatives per token, 0 or more
 * @param cachePrompt whether a cached prefix may be reused
 * @param cacheSalt null when caches are to be shared as usual
 * @param stream whether the answer comes as events
 * @param includeUsage whether the events end with the usage, where the endpoint leaves the choice
 * @param continuousUsage whether each event has the usage so far, where the endpoint leaves the choice
 * @param timings whether to report where the time went
 * @param timingsPerToken whether events have the timings so far, where the endpoint leaves the choice
 * @param promptProgress whether events say how far the prompt is, where the endpoint leaves the choice
 */
public record ValidRequest(
        List<Prompt> prompts,
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
        boolean timings,
        boolean timingsPerToken,
        boolean promptProgress) {

    /** Of all prompts together. */
    public static final int MOST_CHOICES = 256;

    /** No log probabilities. */
    public static final int NO_LOGPROBS = -1;

    /**
     * The same for each of these prompts.
     *
     * @throws InvalidRequest if their choices are too many
     */
    public ValidRequest with(List<? extends Prompt> several) {
        if (choicesPerPrompt() * several.size() > MOST_CHOICES) {
            throw new InvalidRequest("n", "There can be at most " + MOST_CHOICES + " choices of all prompts together");
        }
        return new ValidRequest(
                List.copyOf(several),
                choicesPerPrompt() * several.size(),
                sampling,
                maxTokens,
                stops,
                topLogprobs,
                cachePrompt,
                cacheSalt,
                stream,
                includeUsage,
                continuousUsage,
                timings,
                timingsPerToken,
                promptProgress);
    }

    /** The first prompt. */
    public Prompt prompt() {
        return prompts.get(0);
    }

    /** Choices of one prompt. */
    public int choicesPerPrompt() {
        return choices / prompts.size();
    }

    /** Whether log probabilities were asked for. */
    public boolean logprobs() {
        return topLogprobs != NO_LOGPROBS;
    }

    /** Of all prompts, in the order of their places. */
    public List<ImageReference> images() {
        return prompts.stream().flatMap(prompt -> prompt.images().stream()).toList();
    }

    /**
     * @param id unique among all requests
     * @param index 0..choices-1; with a seed, choice i of each prompt is generated from seed + i
     * @param decoded the images, in the order of {@link #images()}
     */
    public ServerFrame.Generate generate(String id, int index, List<ServerFrame.Image> decoded) {
        int number = index / choicesPerPrompt();
        int choice = index % choicesPerPrompt();
        Prompt prompt = prompts.get(number);
        int before = prompts.subList(0, number).stream()
                .mapToInt(other -> other.images().size())
                .sum();
        List<ServerFrame.Image> images = prompts.size() == 1
                ? decoded
                : decoded.subList(before, before + prompt.images().size());
        Sampling own = sampling.seed() == null || choice == 0 ? sampling : sampling.withSeed(sampling.seed() + choice);
        return new ServerFrame.Generate(
                id, prompt.input(), images, own, maxTokens, stops, topLogprobs, cachePrompt, null, null);
    }
}
