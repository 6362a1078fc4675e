package dev.luq.luq.feed;

import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.GraphTensor;
import dev.luq.llama.TensorTap;
import java.util.Optional;

/** Finds the first product of a matrix, or output of a layer, that holds what is no finite number. */
final class FiniteTap implements TensorTap {

    private String found;

    /** Name of the matrix, or of the layer's output; empty as long as all is finite. */
    Optional<String> found() {
        return Optional.ofNullable(found);
    }

    @Override
    public boolean wants(GraphTensor tensor) {
        // Masks and what comes of them are infinite by design.
        return found == null && (tensor.isMatrixProduct() && tensor.source(0).name().endsWith(".weight")
                || tensor.name().startsWith("l_out-"));
    }

    @Override
    public void computed(GraphTensor tensor) {
        if (found == null && tensor.isPlain() && !FiniteNumbers.areFinite(tensor.floats())) {
            found = tensor.isMatrixProduct() ? tensor.source(0).name() : tensor.name();
        }
    }
}
