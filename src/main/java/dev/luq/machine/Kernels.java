package dev.luq.machine;

/** What multiplies a model's weights, and hence how they lie in memory ({@link dev.luq.memory.WeightMemory}). */
public enum Kernels {

    /** Our own for the types that they know and processors that they are faster on (native/KERNELS.md). */
    FAST,

    /**
     * Our own in the smallest layout: weights take hardly more memory than in the file (Q6_K 1 %, the others nothing), and
     * types that would take much more stay there.
     */
    COMPACT,

    /** llama.cpp's for everything. */
    STOCK
}
