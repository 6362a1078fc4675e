package dev.luq.requant.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * An order in which layers go low.
 *
 * @param method how it was found
 * @param order each layer once; the first is the first to go low
 * @param scores per layer in the model's order; smaller goes low earlier. Bits for entropies, nats for KL divergence
 * @param provenance what made it: seeds, digest of the samples, K, taus. Values that JSON has
 */
public record Ranking(RankingMethod method, List<Integer> order, List<Double> scores, Map<String, Object> provenance) {

    public Ranking {
        order = List.copyOf(order);
        scores = List.copyOf(scores);
        provenance = Collections.unmodifiableMap(new LinkedHashMap<>(provenance));
        if (!List.copyOf(new TreeSet<>(order))
                .equals(IntStream.range(0, order.size()).boxed().toList())) {
            throw new IllegalArgumentException("a ranking names each layer once, not " + order);
        }
        if (scores.size() != order.size()) {
            throw new IllegalArgumentException(scores.size() + " scores for " + order.size() + " layers");
        }
    }

    /** The order of ascending scores; equal scores in the model's order. */
    public static Ranking ascending(RankingMethod method, List<Double> scores, Map<String, Object> provenance) {
        List<Integer> order = IntStream.range(0, scores.size())
                .boxed()
                .sorted((a, b) -> Double.compare(scores.get(a), scores.get(b)))
                .toList();
        return new Ranking(method, order, scores, provenance);
    }
}
