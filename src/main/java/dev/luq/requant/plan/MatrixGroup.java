package dev.luq.requant.plan;

import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Matrices that one measurement stands for: those of one kind in neighbouring layers, or one outside the layers.
 *
 * @param name such as {@code ffn_down 2-12} with the first and last layer, or the tensor's name outside the layers
 * @param matrices names of tensors
 */
public record MatrixGroup(String name, List<String> matrices) {

    /** The first and last eighth of the layers bear more than others: they are apart. */
    private static final double[] BOUNDS = {0, 0.125, 0.5, 0.875, 1};

    public MatrixGroup {
        matrices = List.copyOf(matrices);
    }

    /** All matrices of a model for which an allocation chooses a type, in groups. */
    public static List<MatrixGroup> of(LayeredModel model) {
        List<MatrixGroup> groups = new ArrayList<>();
        for (GgufTensor tensor : model.outside()) {
            if (!TensorTypes.choices(tensor, model.tied()).isEmpty()) {
                groups.add(new MatrixGroup(tensor.name(), List.of(tensor.name())));
            }
        }
        int layers = model.layers().size();
        for (int part = 0; part + 1 < BOUNDS.length; part++) {
            int from = (int) Math.ceil(BOUNDS[part] * layers);
            int to = (int) Math.ceil(BOUNDS[part + 1] * layers);
            Map<String, List<String>> kinds = new LinkedHashMap<>();
            for (int layer = from; layer < to; layer++) {
                for (GgufTensor tensor : model.layers().get(layer)) {
                    if (!TensorTypes.choices(tensor, model.tied()).isEmpty()) {
                        kinds.computeIfAbsent(kind(tensor.name()), kind -> new ArrayList<>())
                                .add(tensor.name());
                    }
                }
            }
            kinds.forEach(
                    (kind, matrices) -> groups.add(new MatrixGroup(kind + " " + from + "-" + (to - 1), matrices)));
        }
        return groups;
    }

    /** {@code ffn_down} of {@code blk.3.ffn_down.weight}. */
    public static String kind(String tensor) {
        return tensor.replaceFirst("^blk\\.\\d+\\.", "").replaceFirst("\\.weight$", "");
    }
}
