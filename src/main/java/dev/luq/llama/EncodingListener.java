package dev.luq.llama;

/** Follows the encoding of an image. */
public interface EncodingListener {

    /** Lets every encoding go on. */
    EncodingListener NONE = share -> true;

    /**
     * A piece of the work is done, about 20 ms of it; an image that takes less is one piece. Called on the thread that
     * encodes, which computes nothing until this returns: it may wait. What it throws ends the encoding and comes out of it.
     *
     * @param share of the encoder's layers that are done, 0..1
     * @return whether the encoding goes on
     */
    boolean computed(float share);
}
