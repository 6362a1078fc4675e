package dev.luq.luq.plan;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.ModelFiles;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What serving takes beside the weights, from headers. The formulas follow llama.cpp v0.5.0's allocations; buffers of
 * activations are counted as its largest step needs them, which they grow to while serving.
 */
final class MemoryModel {

    /** The server's and a worker's own, measured by {@code luq bench memory}. */
    static final long PROCESS_BYTES = 182L << 20;
    private static final int FLOAT = 4;
    private static final int HALF = 2;
    /** The KV cache is made in units of so many tokens. */
    private static final int CONTEXT_UNIT = 256;

    private final long kvCache;
    private final long compute;
    private final long vision;

    MemoryModel(LayeredModel model, Optional<ModelFiles> mmproj, ServingShape shape) {
        this.kvCache = kvCache(model, shape);
        this.compute = compute(model, shape);
        this.vision = mmproj.map(files -> vision(files.first(), shape)).orElse(0L);
    }

    MemoryEstimate estimate(long weights, long mmprojWeights) {
        return new MemoryEstimate(weights, mmprojWeights == 0 ? 0 : mmprojWeights + vision, kvCache, compute, PROCESS_BYTES);
    }

    /** Keys and values of each layer as F16, zeroed and hence resident from the start. */
    private static long kvCache(LayeredModel model, ServingShape shape) {
        long perToken = 0;
        for (int layer = 0; layer < model.layers().size(); layer++) {
            perToken += (keyWidth(model, layer) + valueWidth(model, layer)) * HALF;
        }
        return perToken * pad(shape.contextSize());
    }

    /** The widths are the rows of the matrices that make keys and values. */
    private static long keyWidth(LayeredModel model, int layer) {
        return rows(model.layers().get(layer), "attn_k.weight").orElseGet(() -> fusedWidth(model, layer));
    }

    private static long valueWidth(LayeredModel model, int layer) {
        return rows(model.layers().get(layer), "attn_v.weight").orElseGet(() -> fusedWidth(model, layer));
    }

    /** Queries, keys and values in one matrix: what is left beside the queries, halved. */
    private static long fusedWidth(LayeredModel model, int layer) {
        return rows(model.layers().get(layer), "attn_qkv.weight").map(rows -> (rows - model.width()) / 2).orElse(0L);
    }

    private static Optional<Long> rows(List<GgufTensor> tensors, String suffix) {
        return tensors.stream().filter(tensor -> tensor.name().endsWith(suffix)).map(tensor -> tensor.extent(1)).findFirst();
    }

    /**
     * Activations of one step: the residual stream beside both halves of the gated feed-forward part, or the logits, and
     * the attention mask in both precisions; and the logits that are handed out.
     */
    private static long compute(LayeredModel model, ServingShape shape) {
        long batch = Math.min(shape.batchSize(), shape.contextSize());
        long feedForward = model.layers().stream().flatMap(List::stream).filter(t -> t.name().endsWith("ffn_up.weight"))
                .mapToLong(tensor -> tensor.extent(1)).max().orElse(4 * model.width());
        long layers = (2 * feedForward + 2 * model.width()) * batch * FLOAT;
        long logits = model.vocabulary() * shape.slots() * FLOAT + model.width() * batch * FLOAT;
        long mask = batch * pad(shape.contextSize()) * (FLOAT + HALF);
        return Math.max(layers, logits) + mask + model.vocabulary() * shape.slots() * FLOAT;
    }

    /** Activations of the largest image: patches of the vision tower, with flash attention. */
    private static long vision(Gguf mmproj, ServingShape shape) {
        Map<String, GgufValue> metadata = mmproj.metadata();
        long width = integer(metadata, "clip.vision.embedding_length");
        long feedForward = integer(metadata, "clip.vision.feed_forward_length");
        long side = integer(metadata, "clip.vision.image_size") / Math.max(1, integer(metadata, "clip.vision.patch_size"));
        boolean anySize = mmproj.text("clip.projector_type").orElse("").startsWith("qwen");
        long patches = anySize ? 4L * shape.imageTokens() : side * side + 1;
        long windowMask = metadata.containsKey("clip.vision.n_wa_pattern") ? patches * patches * (FLOAT + HALF) : 0;
        return patches * (2 * feedForward + 4 * width) * FLOAT + windowMask;
    }

    private static long integer(Map<String, GgufValue> metadata, String key) {
        return metadata.get(key) instanceof GgufValue.Int value ? value.value() : 0;
    }

    private static long pad(long tokens) {
        return (tokens + CONTEXT_UNIT - 1) / CONTEXT_UNIT * CONTEXT_UNIT;
    }
}
