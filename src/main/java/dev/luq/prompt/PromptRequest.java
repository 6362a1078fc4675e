package dev.luq.prompt;

import dev.luq.llama.SamplerOptions;
import java.util.List;

/**
 * What a prompt is made of, and how the answer is sampled.
 *
 * @param content texts and the places of images
 * @param images decoded pixels, in the order of their places
 * @param sampling sampling options, the seed already chosen
 * @param cacheSalt caches are shared with requests of the same salt alone; null is one too
 */
public record PromptRequest(PromptContent content, List<ImageInput> images, SamplerOptions sampling, String cacheSalt) {

    /** Messages and images alone, greedily answered. */
    public static PromptRequest of(String chat, List<ImageInput> images) {
        return of(new PromptContent.Chat(chat), images);
    }

    /** A prompt alone, greedily answered. */
    public static PromptRequest of(PromptContent content, List<ImageInput> images) {
        return new PromptRequest(content, images, SamplerOptions.GREEDY, null);
    }

    /** The same without its pixels and texts. */
    public PromptRequest withoutContent() {
        return new PromptRequest(new PromptContent.Raw(List.of(), null), List.of(), sampling, cacheSalt);
    }

    /**
     * An image as it was decoded.
     *
     * @param sha256 identity of size and pixels, used by all caches
     * @param rgb {@code 3 * width * height} bytes, row by row from the top, R G B
     */
    public record ImageInput(int width, int height, String sha256, byte[] rgb) {}
}
