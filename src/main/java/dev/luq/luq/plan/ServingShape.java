package dev.luq.luq.plan;

/**
 * How a model is going to be served, as far as that takes memory.
 *
 * @param contextSize tokens of KV cache, shared by all slots
 * @param batchSize tokens evaluated in one step at most
 * @param slots sequences that run at once
 * @param threads compute threads
 */
public record ServingShape(int contextSize, int batchSize, int slots, int threads) {

    public ServingShape {
        if (contextSize < 1 || batchSize < 1 || slots < 1 || threads < 1) {
            throw new IllegalArgumentException("context, batch, slots and threads are 1 or more");
        }
    }
}
