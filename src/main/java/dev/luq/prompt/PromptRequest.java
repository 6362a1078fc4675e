package dev.luq.prompt;

import dev.luq.llama.SamplerOptions;
import java.util.List;

/**
 * What a prompt is made of, and what the answer has to follow.
 *
 * @param messages OpenAI chat messages as JSON; each image part is {@code {"type":"image","image":k}} with k an index
 *        into images
 * @param images decoded pixels
 * @param tools OpenAI tools as a JSON array, or null
 * @param toolChoice {@code auto}, {@code none}, {@code required}, or a JSON object naming one function; null for auto
 * @param parallelToolCalls whether more than one tool call may be generated
 * @param responseFormat OpenAI response_format as JSON, or null for text
 * @param sampling sampling options, the seed already chosen
 * @param cacheSalt caches are shared with requests of the same salt alone; null is one too
 */
public record PromptRequest(
        String messages,
        List<ImageInput> images,
        String tools,
        String toolChoice,
        boolean parallelToolCalls,
        String responseFormat,
        SamplerOptions sampling,
        String cacheSalt) {

    /** Messages and images alone, greedily answered. */
    public static PromptRequest of(String messages, List<ImageInput> images) {
        return new PromptRequest(messages, images, null, null, false, null, SamplerOptions.GREEDY, null);
    }

    /** The same without its pixels and texts. */
    public PromptRequest withoutContent() {
        return new PromptRequest("", List.of(), null, null, parallelToolCalls, null, sampling, cacheSalt);
    }

    /** Characters of its messages, tools and schema. */
    public long textLength() {
        return (long) messages.length()
                + (tools == null ? 0 : tools.length())
                + (responseFormat == null ? 0 : responseFormat.length());
    }

    /**
     * An image as it was decoded.
     *
     * @param sha256 identity of size and pixels, used by all caches
     * @param rgb {@code 3 * width * height} bytes, row by row from the top, R G B
     */
    public record ImageInput(int width, int height, String sha256, byte[] rgb) {}
}
