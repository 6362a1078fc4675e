package dev.luq.luq.plan;

/**
 * What serving a model takes, by part, in bytes of resident memory.
 *
 * @param weights of the language model as they lie in memory
 * @param mmproj the projector's weights and its compute buffer
 * @param kvCache keys and values of the whole context
 * @param compute buffers for the activations and logits of one step
 * @param processes the server and the worker without the model
 */
public record MemoryEstimate(long weights, long mmproj, long kvCache, long compute, long processes) {

    /** Everything together. */
    public long total() {
        return weights + mmproj + kvCache + compute + processes;
    }
}
