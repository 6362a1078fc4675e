package dev.luq.llama;

import dev.luq.gguf.LayeredModel;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the first product of a matrix, or output of a layer, with a NaN or an infinity. */
public final class FiniteTap implements TensorTap {

    private static final Pattern LAYER_OUTPUT = Pattern.compile("l_out-(\\d{1,5})");

    private Location found;

    /**
     * Where numbers are not finite.
     *
     * @param tensor the matrix whose product it is, such as {@code blk.3.ffn_up.weight}, or the output of a layer, such as
     *     {@code l_out-3}
     */
    public record Location(String tensor) {

        /** The layer that a tensor belongs to; empty for one of none. */
        public static Optional<Integer> layerOf(String tensor) {
            Matcher output = LAYER_OUTPUT.matcher(tensor);
            return output.matches() ? Optional.of(Integer.valueOf(output.group(1))) : LayeredModel.layerOf(tensor);
        }

        /** The layer; empty for a tensor of none. */
        public Optional<Integer> layer() {
            return layerOf(tensor);
        }

        @Override
        public String toString() {
            return tensor + layer().map(number -> " in layer " + number).orElse("");
        }
    }

    /** Empty as long as all is finite. */
    public Optional<Location> found() {
        return Optional.ofNullable(found);
    }

    @Override
    public boolean wants(GraphTensor tensor) {
        // Masks and what comes of them are infinite by design.
        return found == null
                && (tensor.isMatrixProduct() && tensor.source(0).name().endsWith(".weight")
                        || tensor.name().startsWith("l_out-"));
    }

    @Override
    public void computed(GraphTensor tensor) {
        if (found == null && tensor.isPlain() && !FiniteNumbers.areFinite(tensor.floats())) {
            found = new Location(tensor.isMatrixProduct() ? tensor.source(0).name() : tensor.name());
        }
    }
}
