package dev.luq.requant.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a model is made of. As JSON: {@code {"layers": ["Q4_K_M", "IQ1_M", ...], "outside": "Q4_K_M", "mmproj": "Q8_0"}}.
 *
 * @param layers the precision of each layer, in the model's order
 * @param outside the precision of the tensors outside the layers; {@link Precision#Q4_K_M} has embeddings of Q4_K and an
 *     output of Q6_K
 * @param mmproj the projector's precision, {@link Precision#F16} (as it is) or {@link Precision#Q8_0}; without meaning for
 *     models without projector
 */
public record Plan(List<Precision> layers, Precision outside, Precision mmproj) {

    public Plan {
        layers = List.copyOf(layers);
        if (mmproj != Precision.F16 && mmproj != Precision.Q8_0) {
            throw new IllegalArgumentException("a projector is F16 or Q8_0, not " + mmproj);
        }
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
}
