package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.Models;
import dev.luq.requant.plan.Precision;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class LadderCostsTest {

    private static final LayeredModel MODEL = Models.decoder(1, 256, 256, 512, 1000, false);
    private static final int MATRICES = 7;
    private static final double OF_HIGH = 0.01;
    private static final List<Precision> WANTED = List.of(
            Precision.IQ1_M, Precision.IQ2_XXS, Precision.IQ2_S, Precision.IQ3_S, Precision.Q4_K, Precision.Q6_K);

    /** Every matrix has the same errors. */
    private static final Map<GgmlType, Double> ERRORS = Map.of(
            GgmlType.IQ1_M, 0.32,
            GgmlType.IQ2_XXS, 0.16,
            GgmlType.IQ2_S, 0.08,
            GgmlType.IQ3_S, 0.02,
            GgmlType.Q4_K, 0.004,
            GgmlType.Q6_K, 0.001);

    @Test
    void whatWasMeasuredStaysAndTheRestFollowsTheErrors() {
        LayerCosts costs = complete(errors(ERRORS), precision -> 0.5 * excess(precision));

        assertEquals(WANTED.size(), costs.kld().get(0).size());
        for (Precision precision : WANTED) {
            assertEquals(
                    Math.max(0, OF_HIGH + 0.5 * excess(precision)),
                    costs.kld().get(0).get(precision),
                    precision == Precision.IQ2_XXS ? 0.01 : 1e-12,
                    precision.name());
        }
    }

    @Test
    void costsThatGrowFasterThanTheErrorsDoSoBetweenMeasurementsToo() {
        LayerCosts costs = complete(errors(ERRORS), precision -> Math.pow(excess(precision), 1.5));

        assertEquals(
                OF_HIGH + Math.pow(excess(Precision.IQ2_XXS), 1.5),
                costs.kld().get(0).get(Precision.IQ2_XXS),
                1e-9);
    }

    @Test
    void costsAreNeverBelowZeroAndNoiseMakesNoneOfThem() {
        LayerCosts costs = complete(errors(ERRORS), precision -> precision == Precision.IQ3_S ? -0.002 : 4);

        assertEquals(OF_HIGH - 0.002, costs.kld().get(0).get(Precision.IQ3_S), 1e-12);
        assertEquals(OF_HIGH, costs.kld().get(0).get(Precision.Q6_K), 1e-12);
        assertTrue(costs.kld().get(0).values().stream().allMatch(cost -> cost >= 0 && Double.isFinite(cost)));
    }

    @Test
    void withoutAnErrorNothingIsEstimated() {
        Map<GgmlType, Double> some = new TreeMap<>(ERRORS);
        some.remove(GgmlType.IQ2_XXS);

        assertTrue(LadderCosts.areKnown(MODEL, errors(ERRORS), WANTED));
        assertFalse(LadderCosts.areKnown(MODEL, errors(some), WANTED));
    }

    @Test
    void aLayerCostsWhatItsMatricesAddUpTo() {
        MatrixCosts costs = new MatrixCosts(errors(ERRORS).relative());
        Map<GgmlType, Double> some = new TreeMap<>(ERRORS);
        some.remove(GgmlType.IQ2_XXS);

        LayerCosts sums = LadderCosts.sums(MODEL, costs, WANTED).orElseThrow();

        WANTED.forEach(precision -> assertEquals(
                MATRICES * ERRORS.get(GgmlType.valueOf(precision.name())),
                sums.kld().get(0).get(precision),
                1e-12));
        assertTrue(LadderCosts.sums(MODEL, new MatrixCosts(errors(some).relative()), WANTED)
                .isEmpty());
    }

    /** Measured at the usual precisions and at Q4_K, which is the high one. */
    private static LayerCosts complete(MatrixErrors errors, ToDoubleFunction<Precision> cost) {
        Map<Precision, Double> measured = new TreeMap<>(Map.of(Precision.Q4_K, OF_HIGH));
        LadderCosts.MEASURED.forEach(precision -> measured.put(precision, OF_HIGH + cost.applyAsDouble(precision)));
        return LadderCosts.complete(MODEL, errors, new LayerCosts(List.of(measured)), Precision.Q4_K, WANTED);
    }

    private static double excess(Precision precision) {
        return MATRICES * (ERRORS.get(GgmlType.valueOf(precision.name())) - ERRORS.get(GgmlType.Q4_K));
    }

    private static MatrixErrors errors(Map<GgmlType, Double> ofMatrix) {
        SortedMap<String, SortedMap<GgmlType, Double>> errors = new TreeMap<>();
        for (GgufTensor tensor : MODEL.layers().get(0)) {
            if (tensor.type() == GgmlType.F16) {
                errors.put(tensor.name(), new TreeMap<>(ofMatrix));
            }
        }
        return new MatrixErrors(errors);
    }
}
