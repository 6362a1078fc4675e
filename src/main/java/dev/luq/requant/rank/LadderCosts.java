package dev.luq.requant.rank;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.Precision;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * The costs of layers at all precisions of a ladder, from measurements at a few of them: between those a layer's cost
 * follows the {@link CostCurve} of its quantization error, the sum of the relative errors of its matrices.
 */
public final class LadderCosts {

    /** What is measured beside the low and the high precision: where errors are small, larger, and largest. */
    public static final List<Precision> MEASURED = List.of(Precision.IQ1_M, Precision.IQ2_S, Precision.IQ3_S);

    private LadderCosts() {}

    /** Whether the errors are known that costs at these precisions are estimated from. */
    public static boolean areKnown(LayeredModel model, MatrixErrors errors, Collection<Precision> precisions) {
        for (int layer = 0; layer < model.layers().size(); layer++) {
            for (Precision precision : precisions) {
                if (error(model, layer, precision, errors).isEmpty()) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Estimates what was not measured.
     *
     * @param measured of each layer, the high precision among them
     * @param high precision of all other layers
     * @param precisions whose errors are {@linkplain #areKnown known}
     */
    public static LayerCosts complete(
            LayeredModel model,
            MatrixErrors errors,
            LayerCosts measured,
            Precision high,
            Collection<Precision> precisions) {
        List<Map<Precision, Double>> all = new ArrayList<>();
        for (int layer = 0; layer < model.layers().size(); layer++) {
            Map<Precision, Double> costs = new TreeMap<>(measured.kld().get(layer));
            double least = costs.get(high);
            double exact = error(model, layer, high, errors).orElseThrow();
            Map<Double, Double> points = new TreeMap<>();
            for (Map.Entry<Precision, Double> cost : costs.entrySet()) {
                double error = error(model, layer, cost.getKey(), errors).orElseThrow();
                if (error > exact) {
                    points.put(error - exact, cost.getValue() - least);
                }
            }
            CostCurve curve = new CostCurve(points);
            for (Precision precision : precisions) {
                double error = error(model, layer, precision, errors).orElseThrow();
                costs.computeIfAbsent(precision, p -> Math.max(0, least + curve.at(error - exact)));
            }
            all.add(costs);
        }
        return new LayerCosts(all);
    }

    /** What layers cost as sums over their matrices; empty where a cost is missing. */
    public static Optional<LayerCosts> sums(
            LayeredModel model, MatrixCosts matrices, Collection<Precision> precisions) {
        List<Map<Precision, Double>> all = new ArrayList<>();
        for (int layer = 0; layer < model.layers().size(); layer++) {
            Map<Precision, Double> costs = new TreeMap<>();
            for (Precision precision : precisions) {
                OptionalDouble sum = sum(model, layer, precision, matrices.kld());
                if (sum.isEmpty()) {
                    return Optional.empty();
                }
                costs.put(precision, sum.getAsDouble());
            }
            all.add(costs);
        }
        return Optional.of(new LayerCosts(all));
    }

    private static OptionalDouble error(LayeredModel model, int layer, Precision precision, MatrixErrors errors) {
        return sum(model, layer, precision, errors.relative());
    }

    /** Over the matrices of a layer; empty when one has no value for the type that the precision gives it. */
    private static OptionalDouble sum(
            LayeredModel model,
            int layer,
            Precision precision,
            Map<String, ? extends Map<GgmlType, Double>> ofMatrices) {
        double sum = 0;
        for (GgufTensor tensor : model.layers().get(layer)) {
            GgmlType type = precision.type(tensor, layer, model.layers().size());
            if (type != tensor.type()) {
                Map<GgmlType, Double> ofMatrix = ofMatrices.get(tensor.name());
                Double value = ofMatrix == null ? null : ofMatrix.get(type);
                if (value == null) {
                    return OptionalDouble.empty();
                }
                sum += value;
            }
        }
        return OptionalDouble.of(sum);
    }
}
