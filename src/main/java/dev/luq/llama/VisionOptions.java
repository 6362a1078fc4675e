package dev.luq.llama;

/**
 * How images are encoded.
 *
 * @param threads compute threads; 0 takes the processors available
 * @param imageMinTokens smaller images are enlarged to this many tokens, where the model allows any size; 0 takes the
 *        model's own bound
 * @param imageMaxTokens larger images are reduced to this many tokens, where the model allows any size; 0 takes the
 *        model's own bound
 */
public record VisionOptions(int threads, int imageMinTokens, int imageMaxTokens) {

    public VisionOptions {
        if (threads < 0 || imageMinTokens < 0 || imageMaxTokens < 0) {
            throw new IllegalArgumentException("threads and token bounds are 0 or more");
        }
        if (imageMaxTokens > 0 && imageMinTokens > imageMaxTokens) {
            throw new IllegalArgumentException("imageMinTokens is greater than imageMaxTokens");
        }
    }
}
