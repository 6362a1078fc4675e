package dev.luq.machine;

import java.util.Locale;

/** Number format of a KV cache's keys and values. */
public enum KvType {
    F32(4 * 32),

    /** What models are trained for. Our attention kernels know this one alone. */
    F16(2 * 32),

    /** Half of F16's memory: blocks of 32 numbers of 8 bits with a scale. Computed by llama.cpp's kernels. */
    Q8_0(2 + 32);

    private final int bytesOf32;

    KvType(int bytesOf32) {
        this.bytesOf32 = bytesOf32;
    }

    /** @param numbers a multiple of 32 */
    public long bytes(long numbers) {
        return numbers / 32 * bytesOf32;
    }

    /** The name in configuration and JSON, such as {@code q8_0}. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
