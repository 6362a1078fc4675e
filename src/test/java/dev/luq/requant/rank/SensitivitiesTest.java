package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.MatrixGroup;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SensitivitiesTest {

    private static final MatrixGroup DOWN = new MatrixGroup("ffn_down 0-4", List.of("d0", "d1", "d2", "d3", "d4"));
    private static final MatrixGroup OUTPUT = new MatrixGroup("output", List.of("out"));

    /** The third of the group meets its few large inputs well, whatever its type. */
    private static final MatrixErrors ERRORS = new MatrixErrors(new TreeMap<>(Map.of(
            "d0", errors(0.05, 0.4),
            "d1", errors(0.035, 0.25),
            "d2", errors(0.0001, 0.002),
            "d3", errors(0.06, 0.5),
            "d4", errors(0.04, 0.3),
            "out", errors(0.03, 0.2))));

    private static SortedMap<GgmlType, Double> errors(double middle, double low) {
        return new TreeMap<>(Map.of(GgmlType.F16, 0.0, GgmlType.IQ3_XXS, middle, GgmlType.IQ1_M, low));
    }

    private static Sensitivities measured(double down, double output) {
        return new Sensitivities(List.of(
                new Sensitivities.Measured(DOWN, Sensitivities.error(DOWN, ERRORS), down),
                new Sensitivities.Measured(OUTPUT, Sensitivities.error(OUTPUT, ERRORS), output)));
    }

    @Test
    void aMatrixCostsItsErrorTimesItsGroupsDivergencePerError() {
        MatrixCosts costs = measured(0.35, 0.3).costs(ERRORS);
        assertEquals(0.05, costs.kld().get("d0").get(GgmlType.IQ3_XXS), 1e-12);
        assertEquals(0.5, costs.kld().get("d3").get(GgmlType.IQ1_M), 1e-12);
        assertEquals(2, costs.kld().get("out").get(GgmlType.IQ1_M), 1e-12);
        assertEquals(0, costs.kld().get("d0").get(GgmlType.F16));
        assertEquals(
                0.35 + 0.3,
                costs.of(Map.of(
                                "d0", GgmlType.IQ3_XXS,
                                "d1", GgmlType.IQ3_XXS,
                                "d2", GgmlType.IQ3_XXS,
                                "d3", GgmlType.IQ3_XXS,
                                "d4", GgmlType.IQ3_XXS,
                                "out", GgmlType.IQ3_XXS))
                        .orElseThrow(),
                1e-12,
                "what the probes measured");
    }

    @Test
    void noMatrixCostsLessThanTheMedianOfItsGroup() {
        MatrixCosts costs = measured(0.35, 0.3).costs(ERRORS);
        assertEquals(0.04, costs.kld().get("d1").get(GgmlType.IQ3_XXS), 1e-12, "0.035 of its own");
        assertEquals(0.3, costs.kld().get("d1").get(GgmlType.IQ1_M), 1e-12, "0.25 of its own");
    }

    @Test
    void whereMassiveActivationsPassAMatrixCostsFourTimesTheMedian() {
        MatrixCosts costs = measured(0.35, 0.3).costs(ERRORS);
        assertEquals(0.16, costs.kld().get("d2").get(GgmlType.IQ3_XXS), 1e-12);
        assertEquals(1.2, costs.kld().get("d2").get(GgmlType.IQ1_M), 1e-12);
    }

    @Test
    void whatSeemsToBearNothingIsNotFree() {
        MatrixCosts costs = measured(0.35, 0).costs(ERRORS);
        double mean = 0.35 / (0.35 + 0.03);
        assertEquals(0.1 * mean * 0.2, costs.kld().get("out").get(GgmlType.IQ1_M), 1e-12);
    }
}
