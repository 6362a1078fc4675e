package dev.luq.requant.rank;

import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Layers in the order of the measured harm that each one does alone. */
public final class KldRanking {

    private KldRanking() {}

    /**
     * Ascending mean KL divergence with one layer at the low precision and all others high.
     *
     * @throws RankException.MissingCost a layer was not measured at this precision
     */
    public static Ranking rank(LayerCosts costs, Precision low) {
        List<Double> scores = new ArrayList<>();
        for (Map<Precision, Double> ofLayer : costs.kld()) {
            Double kld = ofLayer.get(low);
            if (kld == null) {
                throw new RankException.MissingCost(scores.size(), low);
            }
            scores.add(kld);
        }
        return Ranking.ascending(RankingMethod.KLD, scores, Map.of("low", low.name()));
    }
}
