package dev.luq.llama;

import java.util.function.DoublePredicate;

/**
 * How a model is loaded.
 *
 * @param mmap whether weights stay in the page cache, shared with other processes, instead of being copied
 * @param checkTensors whether every block of every tensor is validated; takes one pass over the file
 * @param progress called on the loading thread with 0..1; false ends loading. Null to load without it
 */
public record ModelOptions(boolean mmap, boolean checkTensors, DoublePredicate progress) {

    /** Memory-mapped, unchecked, silent. */
    public static final ModelOptions DEFAULT = new ModelOptions(true, false, null);
}
