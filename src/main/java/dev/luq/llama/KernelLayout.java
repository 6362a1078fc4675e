package dev.luq.llama;

import dev.luq.preset.global.llama;

/** How our kernels keep the weights that they multiply (native/KERNELS.md). */
public enum KernelLayout {

    /** For speed: IQ1_M at 2.375 bits a weight, IQ2 at 3.375, IQ3 at 4.25. */
    FAST(llama.LUQ_LAYOUT_FAST),

    /** For size: IQ1_M at the file's 1.75 bits a weight; IQ2 and IQ3 as llama.cpp keeps and multiplies them. */
    COMPACT(llama.LUQ_LAYOUT_COMPACT);

    final int value;

    KernelLayout(int value) {
        this.value = value;
    }
}
