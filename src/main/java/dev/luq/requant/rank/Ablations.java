package dev.luq.requant.rank;

import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Orders that a good ranking must beat. */
public final class Ablations {

    private Ablations() {}

    /** From the first layer to the last. */
    public static Ranking depth(int layers) {
        return Ranking.ascending(
                RankingMethod.DEPTH,
                IntStream.range(0, layers).asDoubleStream().boxed().toList(),
                Map.of());
    }

    /** A random order, the same for the same seed. */
    public static Ranking random(int layers, long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, layers).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        List<Double> scores = new ArrayList<>(Collections.nCopies(layers, 0.0));
        for (int place = 0; place < layers; place++) {
            scores.set(order.get(place), (double) place);
        }
        return new Ranking(RankingMethod.RANDOM, order, scores, Map.of("seeds", List.of(seed)));
    }

    /** The same ranking from its other end; its scores are kept. */
    public static Ranking highestFirst(Ranking ranking) {
        List<Integer> order = new ArrayList<>(ranking.order());
        Collections.reverse(order);
        Map<String, Object> provenance = new LinkedHashMap<>(ranking.provenance());
        provenance.put("highest_first", true);
        return new Ranking(ranking.method(), order, ranking.scores(), provenance);
    }
}
