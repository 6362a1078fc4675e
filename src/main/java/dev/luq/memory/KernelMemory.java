package dev.luq.memory;

/** What products and attention of our kernels keep beside their operands (native/KERNELS.md): one or the other at a time. */
final class KernelMemory {

    /** As gemm_product.cpp bounds them. */
    private static final long PACKED_COLUMNS = 32L << 20;

    /** Unpacked rows of weights; or 512 keys, their values and what is known of 2,048 queries, of heads of 128 values. */
    private static final long OF_A_THREAD = 3L << 20;
    /** Two panels of 16 rows as two parts of 16 bits each, which it unpacks at least. */
    private static final long TWO_PANELS = 2 * 16 * 2 * 2;

    /** A superblock of activations that panels are multiplied with where no GEMM is faster: ActivationBlock of panels.h. */
    private static final int SUPERBLOCK = 256;

    private static final long SUPERBLOCK_BYTES = Float.BYTES + SUPERBLOCK + SUPERBLOCK / 4 * Integer.BYTES;

    private KernelMemory() {}

    /** @param width of the widest activations */
    static long of(long columns, long width, int threads) {
        long gemm = Math.min(columns * width * Float.BYTES, PACKED_COLUMNS)
                + threads * Math.max(OF_A_THREAD, TWO_PANELS * width);
        long panels = columns * width / SUPERBLOCK * SUPERBLOCK_BYTES;
        return Math.max(gemm, panels);
    }
}
