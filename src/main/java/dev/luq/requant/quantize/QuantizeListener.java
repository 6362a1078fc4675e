package dev.luq.requant.quantize;

/** Hears how far a quantization is and can end it; called on the thread that asked for it. */
public interface QuantizeListener {

    /** Hears nothing and never ends it. */
    QuantizeListener NONE = (done, total) -> {};

    /**
     * @param done weights quantized by this call so far
     * @param total weights that it has to quantize; 0 when the store had everything
     */
    void quantized(long done, long total);

    /** Whether to stop with {@link QuantizeException.Cancelled}; asked for each slice of rows, many times a second. */
    default boolean cancelled() {
        return false;
    }
}
