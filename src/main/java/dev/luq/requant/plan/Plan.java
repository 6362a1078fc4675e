package dev.luq.requant.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.gguf.GgmlType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a model is made of. As JSON: {@code {"layers": ["Q4_K_M", "IQ1_M", ...], "outside": "Q4_K_M", "mmproj": "Q8_0"}},
 * and {@code "matrices": {"blk.0.attn_q.weight": "IQ3_S", ...}} where matrices have types of their own.
 *
 * @param layers the precision of each layer, in the model's order. Where the matrices have types of their own, the one
 *     that is nearest in bytes
 * @param outside the precision of the tensors outside the layers; {@link Precision#Q4_K_M} has embeddings of Q4_K and an
 *     output of Q6_K. Where the matrices have types of their own, the one that is nearest in bytes
 * @param mmproj the projector's precision, {@link Precision#F16} (as it is) or {@link Precision#Q8_0}; without meaning for
 *     models without projector
 * @param matrices types of matrices by name, all that can be quantized; empty where the precisions decide
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Plan(List<Precision> layers, Precision outside, Precision mmproj, SortedMap<String, GgmlType> matrices) {

    public Plan {
        layers = List.copyOf(layers);
        matrices = matrices == null
                ? Collections.emptySortedMap()
                : Collections.unmodifiableSortedMap(new TreeMap<>(matrices));
        if (mmproj != Precision.F16 && mmproj != Precision.Q8_0) {
            throw new IllegalArgumentException("a projector is F16 or Q8_0, not " + mmproj);
        }
    }

    /** Whose types follow from precisions. */
    public Plan(List<Precision> layers, Precision outside, Precision mmproj) {
        this(layers, outside, mmproj, Collections.emptySortedMap());
    }

    /** All layers of one precision. */
    public static Plan uniform(int layerCount, Precision layers, Precision outside, Precision mmproj) {
        return new Plan(Collections.nCopies(layerCount, layers), outside, mmproj);
    }

    /**
     * The paper's plan: the first layers of an order low, the rest high.
     *
     * @param order each layer once, the first to go low first
     * @param lowLayers how many go low
     */
    public static Plan twoLevel(
            List<Integer> order, int lowLayers, Precision low, Precision high, Precision outside, Precision mmproj) {
        List<Precision> layers = new ArrayList<>(Collections.nCopies(order.size(), high));
        order.subList(0, lowLayers).forEach(layer -> layers.set(layer, low));
        return new Plan(layers, outside, mmproj);
    }

    /** The same with one layer of another precision; of plans whose types follow from precisions. */
    public Plan with(int layer, Precision precision) {
        List<Precision> changed = new ArrayList<>(layers);
        changed.set(layer, precision);
        return new Plan(changed, outside, mmproj);
    }

    /** Whether matrices have types of their own. */
    public boolean isByMatrix() {
        return !matrices.isEmpty();
    }

    /** Whether two plans differ in the projector at most. */
    public boolean isSameModelAs(Plan other) {
        return layers.equals(other.layers) && outside == other.outside && matrices.equals(other.matrices);
    }
}
