package dev.luq.requant.speed;

import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.LayeredModel;
import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.Kernels;
import dev.luq.memory.WeightMemory;
import java.util.Map;
import java.util.Optional;

/**
 * What each tensor of a model is expected to take of the time in which one token is generated on this machine: to multiply
 * its weights, or to read them from memory, whichever is longer (the roofline model: Williams, Waterman and Patterson,
 * CACM 52, 2009). Attention over the context, norms and sampling are left out: a measured model says how much they add.
 */
public final class TokenTimes {

    private static final double GIGA = 1e9;
    private static final String EXPERTS = "_exps.";

    private final boolean tied;
    private final double expertsUsed;
    private final Optional<KernelTable> table;
    private final Kernels kernels;
    private final int threads;
    private final double bytesPerSecond;
    private final WeightMemory memory;

    /**
     * @param model whose tensors are asked for
     * @param table how fast this machine's kernels are from cache; empty where they were not tried: reading alone counts
     * @param kernels that multiply the weights
     * @param threads that share the work
     * @param bytesPerSecond that all of them read from memory
     */
    public TokenTimes(
            LayeredModel model, Optional<KernelTable> table, Kernels kernels, int threads, double bytesPerSecond) {
        if (threads < 1 || !(bytesPerSecond > 0)) {
            throw new IllegalArgumentException(threads + " threads that read " + bytesPerSecond + " bytes a second");
        }
        this.tied = model.tied();
        this.expertsUsed = expertsUsed(model.metadata());
        this.table = table;
        this.kernels = kernels;
        this.threads = threads;
        this.bytesPerSecond = bytesPerSecond;
        this.memory = new WeightMemory(kernels);
    }

    /** Of a token's experts, the share that computes it; 1 where there are none. */
    private static double expertsUsed(Map<String, GgufValue> metadata) {
        if (metadata.get("general.architecture") instanceof GgufValue.Text architecture
                && metadata.get(architecture.value() + ".expert_count") instanceof GgufValue.Int all
                && metadata.get(architecture.value() + ".expert_used_count") instanceof GgufValue.Int used
                && all.value() > 0) {
            return (double) used.value() / all.value();
        }
        return 1;
    }

    /** @param tensor as it would be in the file. Of embeddings that are not the output too one row is read: nothing */
    public double seconds(GgufTensor tensor) {
        if (tensor.shape().size() < 2 || tensor.name().equals(LayeredModel.EMBEDDING) && !tied) {
            return 0;
        }
        double share = tensor.name().contains(EXPERTS) ? expertsUsed : 1;
        double reading = memory.bytes(tensor) / bytesPerSecond;
        double multiplying = rate(tensor)
                .map(weights -> tensor.elements() / (weights * GIGA * threads))
                .orElse(0.0);
        return share * Math.max(reading, multiplying);
    }

    /** Billions of weights a second on one core. */
    private Optional<Double> rate(GgufTensor tensor) {
        return table.flatMap(tried -> tried.types().stream()
                        .filter(type -> type.equalsIgnoreCase(tensor.type().name()))
                        .findFirst()
                        .flatMap(type -> tried.taken(type, kernels)))
                .map(KernelTrial::one)
                .filter(one -> one > 0);
    }
}
