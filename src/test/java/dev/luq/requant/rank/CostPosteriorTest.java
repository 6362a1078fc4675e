package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.MatrixCosts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CostPosteriorTest {

    private static final List<GgmlType> TYPES = List.of(GgmlType.IQ2_XXS, GgmlType.IQ3_S, GgmlType.Q4_K);
    private static final int LAYERS = 6;

    private final SplittableRandom random = new SplittableRandom(1);

    /** Four times the cost for each bit less. */
    private static MatrixCosts prior() {
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            for (String kind : List.of("attn_q", "ffn_down")) {
                SortedMap<GgmlType, Double> ofMatrix = new TreeMap<>();
                TYPES.forEach(type -> ofMatrix.put(type, Math.pow(4, -type.bitsPerWeight())));
                costs.put("blk." + layer + "." + kind + ".weight", ofMatrix);
            }
        }
        return new MatrixCosts(costs);
    }

    private Map<String, GgmlType> plan() {
        Map<String, GgmlType> types = new HashMap<>();
        prior().kld().keySet().forEach(matrix -> types.put(matrix, TYPES.get(random.nextInt(TYPES.size()))));
        return types;
    }

    private static double sum(MatrixCosts costs, Map<String, GgmlType> plan) {
        return plan.entrySet().stream()
                .mapToDouble(e -> costs.kld().get(e.getKey()).get(e.getValue()))
                .sum();
    }

    private static double cost(MatrixCosts costs, String matrix) {
        return costs.kld().get(matrix).get(GgmlType.IQ3_S);
    }

    @Test
    void costsAreAsTheyWereMeasuredUntilAPlanIs() {
        assertEquals(prior(), new CostPosterior(prior()).expected());
    }

    @Test
    void plansThatWereMeasuredTellWhatOthersCost() {
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        prior().kld().forEach((matrix, ofMatrix) -> {
            double factor = matrix.startsWith("blk.2.") ? 3 : matrix.contains("ffn_down") ? 1.5 : 0.7;
            SortedMap<GgmlType, Double> scaled = new TreeMap<>();
            ofMatrix.forEach((type, cost) -> scaled.put(type, factor * cost));
            costs.put(matrix, scaled);
        });
        MatrixCosts truth = new MatrixCosts(costs);
        CostPosterior posterior = new CostPosterior(prior());
        for (int i = 0; i < 60; i++) {
            Map<String, GgmlType> plan = plan();
            assertTrue(posterior.observe(plan, sum(truth, plan)));
        }
        double before = 0;
        double after = 0;
        for (int i = 0; i < 50; i++) {
            Map<String, GgmlType> plan = plan();
            before += Math.abs(sum(prior(), plan) - sum(truth, plan));
            after += Math.abs(sum(posterior.expected(), plan) - sum(truth, plan));
        }
        assertTrue(after < before / 5, after + " nats off instead of " + before);
        for (String kind : List.of("attn_q", "ffn_down")) {
            assertTrue(
                    cost(posterior.expected(), "blk.2." + kind + ".weight")
                            > 1.3 * cost(posterior.expected(), "blk.4." + kind + ".weight"),
                    "layer 2 bears more");
        }
    }

    /** What a matrix is found to cost more is taken to be so for others of its layer and kind, too. */
    @Test
    void onePlanTellsMostOfTheMatricesThatBearMostInIt() {
        CostPosterior posterior = new CostPosterior(prior());
        Map<String, GgmlType> plan = new HashMap<>();
        prior().kld().keySet().forEach(matrix -> plan.put(matrix, GgmlType.Q4_K));
        plan.put("blk.1.attn_q.weight", GgmlType.IQ2_XXS);
        assertTrue(posterior.observe(plan, 2 * sum(prior(), plan)));
        MatrixCosts expected = posterior.expected();
        double low = cost(expected, "blk.1.attn_q.weight");
        assertTrue(low > cost(expected, "blk.1.ffn_down.weight"), "its layer");
        assertTrue(cost(expected, "blk.1.ffn_down.weight") > cost(expected, "blk.3.ffn_down.weight"), "another layer");
        assertTrue(cost(expected, "blk.3.attn_q.weight") > cost(expected, "blk.3.ffn_down.weight"), "its kind");
        assertTrue(cost(expected, "blk.3.ffn_down.weight") > cost(prior(), "blk.3.ffn_down.weight"), "all");
        // Twice the sum was measured, by a few dozen examples: it is believed in the most part.
        assertEquals(1.8, sum(expected, plan) / sum(prior(), plan), 0.05);
    }

    @Test
    void aPlanOfTypesWithoutCostsTeachesNothing() {
        CostPosterior posterior = new CostPosterior(prior());
        Map<String, GgmlType> plan = plan();
        plan.put("blk.0.attn_q.weight", GgmlType.Q5_0);
        assertFalse(posterior.observe(plan, 1));
        assertEquals(prior(), posterior.expected());
    }

    @Test
    void drawsSpreadAboutWhatIsExpectedAndAreNeverBelowZero() {
        CostPosterior posterior = new CostPosterior(prior());
        for (int i = 0; i < 20; i++) {
            Map<String, GgmlType> plan = plan();
            posterior.observe(plan, 1.3 * sum(prior(), plan));
        }
        String matrix = "blk.3.ffn_down.weight";
        double expected = cost(posterior.expected(), matrix);
        double sum = 0;
        double squares = 0;
        int draws = 2000;
        for (int i = 0; i < draws; i++) {
            double cost = cost(posterior.draw(random), matrix);
            assertTrue(cost > 0);
            sum += cost;
            squares += (cost - expected) * (cost - expected);
        }
        assertEquals(1, sum / draws / expected, 0.03);
        assertTrue(squares > 0);
        assertEquals(
                posterior.draw(new SplittableRandom(5)), posterior.draw(new SplittableRandom(5)), "a seed, a draw");
    }
}
