package dev.luq.llama;

import dev.luq.preset.ggml_backend_sched_eval_callback;
import dev.luq.preset.ggml_tensor;
import org.bytedeco.javacpp.Pointer;

/** ggml's eval callback: asked before a node is computed and, where the answer was yes, told after it. */
final class TapCallback extends ggml_backend_sched_eval_callback {

    private final TensorTap tap;
    private RuntimeException failure;

    TapCallback(TensorTap tap) {
        this.tap = tap;
    }

    @Override
    public boolean call(ggml_tensor tensor, boolean ask, Pointer userData) {
        try {
            if (failure != null) {
                return ask; // waits for the node, then ends the computation there
            }
            if (ask) {
                return tap.wants(new GraphTensor(tensor));
            }
            tap.computed(new GraphTensor(tensor));
            return true;
        } catch (RuntimeException e) {
            failure = e; // would unwind through C frames
        } catch (Throwable e) {
            failure = new IllegalStateException("the tensor tap failed", e);
        }
        return ask;
    }

    /** Throws what the tap threw since the last time. */
    void rethrow() {
        if (failure != null) {
            RuntimeException thrown = failure;
            failure = null;
            throw thrown;
        }
    }
}
