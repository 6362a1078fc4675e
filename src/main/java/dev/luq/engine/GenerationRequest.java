package dev.luq.engine;

import dev.luq.llama.SamplerOptions;
import java.util.List;

/**
 * One generation (one choice).
 *
 * @param id unique among the requests in flight
 * @param messages OpenAI chat messages as JSON; each image part is {@code {"type":"image","image":k}} with k an index
 *        into images
 * @param images decoded pixels
 * @param tools OpenAI tools as a JSON array, or null
 * @param toolChoice {@code auto}, {@code none}, {@code required}, or a JSON object naming one function; null for auto
 * @param parallelToolCalls whether more than one tool call may be generated
 * @param responseFormat OpenAI response_format as JSON, or null for text
 * @param sampling sampling options, the seed already chosen
 * @param maxTokens tokens to generate at most; 0 for as many as the context holds
 * @param stop stop strings, possibly empty
 * @param topLogprobs -1 for no log probabilities, else the number of alternatives per token
 * @param cachePrompt whether a cached prefix may be reused
 * @param client who it is for: clients that wait take turns; null is one too
 * @param cacheSalt caches are shared with requests of the same salt alone; null is one too
 */
public record GenerationRequest(String id, String messages, List<ImageInput> images, String tools, String toolChoice,
        boolean parallelToolCalls, String responseFormat, SamplerOptions sampling, int maxTokens, List<String> stop,
        int topLogprobs, boolean cachePrompt, String client, String cacheSalt) {

    /** One of no client in particular. */
    public GenerationRequest(String id, String messages, List<ImageInput> images, String tools, String toolChoice,
            boolean parallelToolCalls, String responseFormat, SamplerOptions sampling, int maxTokens, List<String> stop,
            int topLogprobs, boolean cachePrompt) {
        this(id, messages, images, tools, toolChoice, parallelToolCalls, responseFormat, sampling, maxTokens, stop,
                topLogprobs, cachePrompt, null, null);
    }

    /** The same without its pixels and texts, which are large and not needed once the prompt is prepared. */
    GenerationRequest withoutContent() {
        return new GenerationRequest(id, "", List.of(), null, null, parallelToolCalls, null, sampling,
                maxTokens, stop, topLogprobs, cachePrompt, client, cacheSalt);
    }

    /** Characters of its messages, tools and schema. */
    long textLength() {
        return (long) messages.length() + (tools == null ? 0 : tools.length())
                + (responseFormat == null ? 0 : responseFormat.length());
    }

    /**
     * An image as it was decoded.
     *
     * @param sha256 identity of size and pixels, used by all caches
     * @param rgb {@code 3 * width * height} bytes, row by row from the top, R G B
     */
    public record ImageInput(int width, int height, String sha256, byte[] rgb) {
    }
}
