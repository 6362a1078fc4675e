package dev.luq.decoder;

/** Told about decoders; every CDI bean of this type is called. Implementations return at once. */
public interface DecoderListener {

    /**
     * A decoder answered, with a picture or why there is none.
     *
     * @param nanos that it took, without waiting for it
     */
    void decoded(long nanos);

    /** A decoder did not answer and is replaced. */
    void replaced(DecoderException.Reason reason);
}
