package dev.luq.llama;

/**
 * How images are encoded.
 *
 * @param threads compute threads; 0 takes the processors available
 * @param imageMaxTokens larger images are reduced to this many tokens, where the model allows any size; 0 takes the
 *        model's own bound
 */
public record VisionOptions(int threads, int imageMaxTokens) {

    public VisionOptions {
        if (threads < 0 || imageMaxTokens < 0) {
            throw new IllegalArgumentException("threads and the bound of tokens are 0 or more");
        }
    }
}
