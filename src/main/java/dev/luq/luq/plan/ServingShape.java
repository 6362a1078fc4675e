package dev.luq.luq.plan;

/**
 * How a model is going to be served, as far as that takes memory.
 *
 * @param contextSize tokens of KV cache, shared by all slots
 * @param batchSize tokens evaluated in one step at most
 * @param slots sequences that run at once
 * @param threads compute threads
 * @param imageTokens tokens of the largest image whose encoding is counted; without meaning for models of a fixed image
 *     size
 * @param kernels what multiplies the weights, which decides how they lie in memory
 */
public record ServingShape(int contextSize, int batchSize, int slots, int threads, int imageTokens, Kernels kernels) {

    /** A picture of 1 megapixel in models that take a token for 28 x 28 pixels. */
    public static final int DEFAULT_IMAGE_TOKENS = 1280;

    public ServingShape {
        if (contextSize < 1 || batchSize < 1 || slots < 1 || threads < 1 || imageTokens < 0) {
            throw new IllegalArgumentException("context, batch, slots and threads are 1 or more, image tokens 0 or more");
        }
        kernels = kernels == null ? Kernels.STOCK : kernels;
    }

    /** With images of {@link #DEFAULT_IMAGE_TOKENS} at most, multiplied by llama.cpp's kernels. */
    public ServingShape(int contextSize, int batchSize, int slots, int threads) {
        this(contextSize, batchSize, slots, threads, DEFAULT_IMAGE_TOKENS, Kernels.STOCK);
    }
}
