package dev.luq.llama;

import dev.luq.preset.luq_encoding_callback;

/** Asks a listener from C, for one encoding. */
final class EncodingCallback extends luq_encoding_callback {

    private final EncodingListener listener;
    private final int layers;
    private RuntimeException failure;

    /** @param layers of the encoder */
    EncodingCallback(EncodingListener listener, int layers) {
        this.listener = listener;
        this.layers = layers;
    }

    @Override
    public boolean call(int layer) {
        try {
            return listener.computed(Math.min(1, (float) layer / layers));
        } catch (RuntimeException e) {
            failure = e; // would unwind through C frames
        } catch (Throwable e) {
            failure = new IllegalStateException("the encoding's listener failed", e);
        }
        return false;
    }

    /** Throws what the listener threw. */
    void rethrow() {
        if (failure != null) {
            throw failure;
        }
    }
}
