package dev.luq.machine;

import java.util.Locale;

/** What multiplies a model's weights, and hence how they lie in memory ({@link dev.luq.memory.WeightMemory}). */
public enum Kernels {

    /**
     * Our own, laid out for speed, for the types that they know and on processors where they are faster
     * (native/KERNELS.md): IQ1_M at 2.375 bits a weight, IQ2 at 3.375, IQ3 at 4.25, others as under
     * {@link #COMPACT}.
     */
    FAST,

    /**
     * Our own, laid out for size: weights take hardly more memory than in the file (Q3_K 2 %, Q6_K 1 %, the others
     * nothing). IQ1_M stays at 1.75 bits a weight; IQ2 and IQ3, which would take much more, are left to llama.cpp.
     */
    COMPACT,

    /** llama.cpp's for everything. */
    STOCK;

    /** The name in configuration, JSON and the kernel table's file, such as {@code fast}. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
