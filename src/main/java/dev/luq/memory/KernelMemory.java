package dev.luq.memory;

/** What products and attention of our kernels keep beside their operands (native/KERNELS.md): one or the other at a time. */
final class KernelMemory {

    /** As gemm_product.cpp bounds them. */
    private static final long PACKED_COLUMNS = 32L << 20;

    /** Unpacked rows of weights; or 512 keys, their values and what is known of 2,048 queries, of heads of 128 values. */
    private static final long OF_A_THREAD = 3L << 20;

    private KernelMemory() {}

    /** @param width of the widest activations */
    static long of(long columns, long width, int threads) {
        return Math.min(columns * width * Float.BYTES, PACKED_COLUMNS) + threads * OF_A_THREAD;
    }
}
