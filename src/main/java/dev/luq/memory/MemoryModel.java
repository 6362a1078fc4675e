package dev.luq.memory;

import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What serving takes beside the weights, from headers. The formulas follow llama.cpp v0.5.0's allocations; buffers of
 * activations are counted as its largest step needs them, which they grow to while serving.
 */
public final class MemoryModel {

    /** The server's own, measured by {@code luq bench memory}: 102.6 MiB. */
    static final long SERVER_BYTES = 103L << 20;
    /** A worker's own, a JVM with the native libraries, measured by the same: 79.2 MiB. */
    static final long WORKER_BYTES = 79L << 20;
    /** A process that decodes images and waits for the next: 45 MiB. An image takes more for the time of its decoding. */
    static final long DECODER_BYTES = 45L << 20;
    /**
     * One token in llama.cpp's tables: text with score, text again as a key and as the piece that is put out, a merge of two
     * texts. 290 measured on vocabularies of 32 000 and 152 064 short tokens; long texts lie outside their objects.
     */
    private static final int TOKEN_BYTES = 320;

    private static final int FLOAT = 4;
    private static final int HALF = 2;
    /** The KV cache is made in units of so many tokens. */
    private static final int CONTEXT_UNIT = 256;

    private static final String LATENT = "attn_kv_a_mqa.weight";
    private static final Pattern RECURRENT = Pattern.compile("blk\\.\\d+\\.(ssm_|shortconv).*");

    private final long kvCache;
    private final long compute;
    private final long vision;

    public MemoryModel(LayeredModel model, Optional<ModelFiles> mmproj, ServingShape shape) {
        this.kvCache = kvCache(model, shape);
        this.compute = compute(model, shape);
        this.vision = mmproj.map(files -> VisionMemory.of(files.first(), shape)).orElse(0L);
    }

    public MemoryEstimate estimate(long weights, long mmprojWeights) {
        return new MemoryEstimate(
                weights,
                mmprojWeights == 0 ? 0 : mmprojWeights + vision,
                kvCache,
                compute,
                SERVER_BYTES + WORKER_BYTES + (mmprojWeights == 0 ? 0 : DECODER_BYTES));
    }

    /**
     * Keys and values of each layer, zeroed and hence resident from the start, and those kept beyond it; of encoders
     * none.
     */
    private static long kvCache(LayeredModel model, ServingShape shape) {
        if (model.isEncoder()) {
            return 0;
        }
        long perToken = 0;
        for (int layer = 0; layer < model.layers().size(); layer++) {
            perToken += shape.kv().bytes(keyWidth(model, layer) + valueWidth(model, layer));
        }
        return perToken * pad(shape.contextSize()) + recurrentState(model) * shape.slots() + shape.promptCacheBytes();
    }

    /** The widths are the rows of the matrices that make keys and values; of latent attention, of what is kept for both. */
    private static long keyWidth(LayeredModel model, int layer) {
        List<GgufTensor> tensors = model.layers().get(layer);
        return rows(tensors, "attn_k.weight")
                .or(() -> rows(tensors, LATENT))
                .orElseGet(() -> fusedWidth(model, tensors));
    }

    private static long valueWidth(LayeredModel model, int layer) {
        List<GgufTensor> tensors = model.layers().get(layer);
        return rows(tensors, "attn_v.weight")
                .or(() -> rows(tensors, LATENT).map(latent -> 0L))
                .orElseGet(() -> fusedWidth(model, tensors));
    }

    /** Queries, keys and values in one matrix: what is left beside the queries, halved. */
    private static long fusedWidth(LayeredModel model, List<GgufTensor> layer) {
        return isRecurrent(layer)
                ? 0
                : rows(layer, "attn_qkv.weight")
                        .map(rows -> (rows - model.width()) / 2)
                        .orElse(0L);
    }

    /** Layers of linear attention and of state spaces, which some models have between others, keep a state per sequence. */
    private static boolean isRecurrent(List<GgufTensor> layer) {
        return rows(layer, "attn_k.weight").isEmpty()
                && layer.stream()
                        .anyMatch(tensor -> RECURRENT.matcher(tensor.name()).matches());
    }

    /** Of one sequence, as n_embd_r and n_embd_s in llama-hparams.cpp have it for state spaces. */
    private static long recurrentState(LayeredModel model) {
        long layers = model.layers().stream().filter(MemoryModel::isRecurrent).count();
        long inner = number(model, "ssm.inner_size");
        long state = number(model, "ssm.state_size");
        long convolution = Math.max(0, number(model, "ssm.conv_kernel") - 1);
        return layers * (convolution * (inner + 2 * number(model, "ssm.group_count") * state) + state * inner) * FLOAT;
    }

    private static long number(LayeredModel model, String key) {
        String architecture =
                model.metadata().get("general.architecture") instanceof GgufValue.Text text ? text.value() : "";
        return model.metadata().get(architecture + "." + key) instanceof GgufValue.Int number ? number.value() : 0;
    }

    private static Optional<Long> rows(List<GgufTensor> tensors, String suffix) {
        return tensors.stream()
                .filter(tensor -> tensor.name().endsWith(suffix))
                .map(tensor -> tensor.extent(1))
                .findFirst();
    }

    /**
     * Activations of one step: gate, up and their product, as wide as the feed-forward part, beside four of the
     * residual stream's width (the embeddings, the layer's input, what attention added, its norm), or the logits; the
     * attention mask; both are llama.cpp's compute buffer to the byte for models of six proportions. Beside it the
     * widest activations in the lower precision that products are computed from, or what our kernels keep; the logits
     * that are handed out; the tables of the vocabulary. An encoder's tokens attend to those of the step alone; it
     * computes no logits, but llama.cpp keeps room to hand them out.
     */
    private static long compute(LayeredModel model, ServingShape shape) {
        long batch = Math.min(shape.batchSize(), shape.contextSize());
        long feedForward = model.layers().stream()
                .flatMap(List::stream)
                .filter(t -> t.name().endsWith("ffn_up.weight"))
                .mapToLong(tensor -> tensor.extent(1))
                .max()
                .orElse(4 * model.width());
        long layers = (3 * feedForward + 4 * model.width()) * batch * FLOAT;
        long handedOut = model.vocabulary() * (shape.outputs() * FLOAT + TOKEN_BYTES);
        long lowered = shape.kernels() == Kernels.STOCK
                ? feedForward * batch * HALF
                : KernelMemory.of(batch, feedForward, shape.threads());
        if (model.isEncoder()) {
            return layers + lowered + batch * batch * HALF + handedOut;
        }
        long logits = model.vocabulary() * shape.outputs() * FLOAT + model.width() * batch * FLOAT;
        long mask = batch * pad(shape.contextSize()) * HALF;
        return Math.max(layers, logits) + lowered + mask + handedOut;
    }

    private static long pad(long tokens) {
        return (tokens + CONTEXT_UNIT - 1) / CONTEXT_UNIT * CONTEXT_UNIT;
    }
}
