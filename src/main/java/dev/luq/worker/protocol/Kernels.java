package dev.luq.worker.protocol;

/** What multiplies a model's weights. */
public enum Kernels {

    /**
     * Our own for the types that they know and processors that they are faster on, with weights laid out for speed
     * (native/KERNELS.md).
     */
    FAST,

    /** Our own, with weights that take no more memory than in the file. */
    COMPACT,

    /** llama.cpp's for everything. */
    STOCK
}
