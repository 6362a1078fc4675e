package dev.luq.memory;

import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;

/**
 * How a model is going to be served, as far as that takes memory.
 *
 * @param contextSize tokens of KV cache, shared by all slots
 * @param batchSize tokens evaluated in one step at most
 * @param slots sequences that run at once
 * @param threads compute threads
 * @param imageTokens tokens of the largest image; without meaning for models of a fixed image size
 * @param kernels what multiplies the weights, which decides how they lie in memory; null, as in jobs recorded without it:
 *        stock
 * @param kv number format of the KV cache; null, as in jobs recorded without it: F16
 * @param promptCacheBytes of prompts kept beyond the slots; null, as in jobs recorded without it: 0
 * @param outputs tokens of one step at most after which logits are computed: one for each slot, and those that are
 *        drafted; null, as in jobs recorded without it: one for each slot
 */
public record ServingShape(
        int contextSize,
        int batchSize,
        int slots,
        int threads,
        int imageTokens,
        Kernels kernels,
        KvType kv,
        Long promptCacheBytes,
        Integer outputs) {

    /** llama.cpp v0.5.0's own bound for Qwen2-VL and Qwen2.5-VL: 3.2 megapixels. */
    public static final int MOST_IMAGE_TOKENS = 4096;

    public ServingShape {
        if (contextSize < 1 || batchSize < 1 || slots < 1 || threads < 1 || imageTokens < 0) {
            throw new IllegalArgumentException(
                    "context, batch, slots and threads are 1 or more, image tokens 0 or more");
        }
        kernels = kernels == null ? Kernels.STOCK : kernels;
        kv = kv == null ? KvType.F16 : kv;
        promptCacheBytes = promptCacheBytes == null ? 0 : promptCacheBytes;
        outputs = outputs == null ? slots : outputs;
    }

    /** For generation without drafts. */
    public ServingShape(
            int contextSize,
            int batchSize,
            int slots,
            int threads,
            int imageTokens,
            Kernels kernels,
            KvType kv,
            Long promptCacheBytes) {
        this(contextSize, batchSize, slots, threads, imageTokens, kernels, kv, promptCacheBytes, slots);
    }

    /** With a KV cache of F16 and no prompts beyond it. */
    public ServingShape(int contextSize, int batchSize, int slots, int threads, int imageTokens, Kernels kernels) {
        this(contextSize, batchSize, slots, threads, imageTokens, kernels, KvType.F16, 0L);
    }

    /** Multiplied by llama.cpp's kernels, with the largest images that the context holds. */
    public ServingShape(int contextSize, int batchSize, int slots, int threads) {
        this(contextSize, batchSize, slots, threads, imageTokens(0, contextSize), Kernels.STOCK);
    }

    /** The same with other threads. */
    public ServingShape withThreads(int other) {
        return new ServingShape(
                contextSize, batchSize, slots, other, imageTokens, kernels, kv, promptCacheBytes, outputs);
    }

    /**
     * Tokens of the largest image that is encoded: one that the context does not hold is refused before.
     *
     * @param bound on one image's tokens; 0 for llama.cpp's own
     */
    public static int imageTokens(int bound, int contextSize) {
        return Math.min(bound > 0 ? bound : MOST_IMAGE_TOKENS, contextSize);
    }
}
