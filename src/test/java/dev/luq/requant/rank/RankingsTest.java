package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Rankings that need no model. */
class RankingsTest {

    @Test
    void whatHarmsLeastGoesFirst() {
        LayerCosts costs = new LayerCosts(List.of(
                Map.of(Precision.IQ1_M, 0.4, Precision.IQ2_S, 0.01),
                Map.of(Precision.IQ1_M, 0.1, Precision.IQ2_S, 0.02),
                Map.of(Precision.IQ1_M, 0.2)));
        Ranking ranking = KldRanking.rank(costs, Precision.IQ1_M);
        assertEquals(List.of(1, 2, 0), ranking.order());
        assertEquals(List.of(0.4, 0.1, 0.2), ranking.scores());
        assertEquals(RankingMethod.KLD, ranking.method());
        assertThrows(RankException.MissingCost.class, () -> KldRanking.rank(costs, Precision.IQ2_S));
    }

    @Test
    void ablationsAreDepthRandomAndTheOtherEnd() {
        assertEquals(List.of(0, 1, 2, 3), Ablations.depth(4).order());
        Ranking random = Ablations.random(28, 7);
        assertEquals(random, Ablations.random(28, 7));
        assertNotEquals(random.order(), Ablations.random(28, 8).order());
        assertEquals(Ranking.ascending(RankingMethod.RANDOM, random.scores(), random.provenance()), random);
        assertEquals(
                List.of(3, 2, 1, 0), Ablations.highestFirst(Ablations.depth(4)).order());
    }

    /** Values of scipy.stats.kendalltau. */
    @Test
    void agreementIsKendallsTau() {
        assertEquals(1, LayerEntropies.tau(List.of(1.0, 2.0, 3.0), List.of(0.1, 0.2, 0.3)), 1e-12);
        assertEquals(-1, LayerEntropies.tau(List.of(1.0, 2.0, 3.0), List.of(0.3, 0.2, 0.1)), 1e-12);
        assertEquals(
                -0.4714045207910316,
                LayerEntropies.tau(List.of(12.0, 2.0, 1.0, 12.0, 2.0), List.of(1.0, 4.0, 7.0, 1.0, 0.0)),
                1e-12);
    }
}
