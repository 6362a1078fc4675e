package dev.luq.memory;

import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import java.util.Optional;

/**
 * What serving a model takes, by part, in bytes of resident memory. Caches that fill while serving, of images and of
 * requests, are bounded by their own settings and not counted.
 *
 * @param weights of the language model as they lie in memory ({@link WeightMemory}), which need not be their size on disk
 * @param mmproj the projector's weights and what encoding the largest image takes
 * @param kvCache keys and values of the whole context, and of prompts kept beyond it up to their bound
 * @param compute buffers for the activations and logits of one step, and the vocabulary's tables
 * @param processes the server, the worker without the model, and the decoder of images where there is a projector
 */
public record MemoryEstimate(long weights, long mmproj, long kvCache, long compute, long processes) {

    /**
     * Of a model as its files are, whatever the order of their tensors.
     *
     * @throws dev.luq.gguf.GgufException.Unsupported when its layers cannot be told apart
     */
    public static MemoryEstimate asItIs(ModelFiles model, Optional<ModelFiles> mmproj, ServingShape shape) {
        return new MemoryModel(LayeredModel.of(model), mmproj, shape)
                .estimate(
                        new WeightMemory(shape.kernels()).of(model).total(),
                        mmproj.map(ModelFiles::tensorBytes).orElse(0L));
    }

    /** Everything together. */
    public long total() {
        return weights + mmproj + kvCache + compute + processes;
    }

    /** Without the server's own processes: what a worker takes. */
    public long worker() {
        return total() - MemoryModel.SERVER_BYTES - (mmproj == 0 ? 0 : MemoryModel.DECODER_BYTES);
    }
}
