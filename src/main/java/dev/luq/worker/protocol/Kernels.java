package dev.luq.worker.protocol;

/** What multiplies a model's weights. */
public enum Kernels {

    /** Our own for the types that they know and processors that they are faster on (native/KERNELS.md). */
    FAST,

    /** llama.cpp's for everything. */
    STOCK
}
