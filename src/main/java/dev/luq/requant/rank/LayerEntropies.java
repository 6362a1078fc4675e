package dev.luq.requant.rank;

import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.hipparchus.stat.correlation.KendallsCorrelation;

/**
 * The entropies of a model's layers, in bits; lists go by layer.
 *
 * @param activation what was clustered
 * @param clusters K; entropies are at most {@code log2 K}
 * @param points vectors clustered
 * @param seeds in the order of {@code mixed}
 * @param mixed text and image tokens pooled, for each seed
 * @param image image tokens alone, first seed; empty with fewer than K of them
 * @param text text tokens alone, first seed; empty with fewer than K of them
 * @param byClusters pooled tokens by K, first seed; K for which there are too few vectors are left out
 * @param origin digests of the calibration set and of the sampled tokens
 */
public record LayerEntropies(
        Activation activation,
        int clusters,
        int points,
        List<Long> seeds,
        List<List<Double>> mixed,
        List<Double> image,
        List<Double> text,
        SortedMap<Integer, List<Double>> byClusters,
        Map<String, String> origin) {

    public LayerEntropies {
        byClusters = Collections.unmodifiableSortedMap(new TreeMap<>(byClusters));
        origin = Collections.unmodifiableMap(new LinkedHashMap<>(origin));
    }

    /** Mean over the seeds. */
    public List<Double> mean() {
        List<Double> mean = new ArrayList<>();
        for (int layer = 0; layer < mixed.get(0).size(); layer++) {
            double sum = 0;
            for (List<Double> ofSeed : mixed) {
                sum += ofSeed.get(layer);
            }
            mean.add(sum / mixed.size());
        }
        return mean;
    }

    /** Kendall's tau of each pair of seeds: first with second, first with third, and so on. */
    public List<Double> tausBetweenSeeds() {
        List<Double> taus = new ArrayList<>();
        for (int a = 0; a < mixed.size(); a++) {
            for (int b = a + 1; b < mixed.size(); b++) {
                taus.add(tau(mixed.get(a), mixed.get(b)));
            }
        }
        return taus;
    }

    /** By K, Kendall's tau of its ranking with that of the K before. */
    public SortedMap<Integer, Double> tausByClusters() {
        SortedMap<Integer, Double> taus = new TreeMap<>();
        List<Double> before = null;
        for (Map.Entry<Integer, List<Double>> entry : byClusters.entrySet()) {
            if (before != null) {
                taus.put(entry.getKey(), tau(before, entry.getValue()));
            }
            before = entry.getValue();
        }
        return taus;
    }

    /**
     * Kendall's tau-b of two lists of scores: 1 for the same order, -1 for the opposite one. NaN for less than two
     * layers. The paper's normalised distance is {@code (1 - tau) / 2}, the share of pairs in opposite order.
     */
    static double tau(List<Double> a, List<Double> b) {
        return new KendallsCorrelation()
                .correlation(
                        a.stream().mapToDouble(x -> x).toArray(),
                        b.stream().mapToDouble(x -> x).toArray());
    }

    /** Ascending mean entropy, with everything that led to it as provenance. */
    public Ranking ranking() {
        Map<String, Object> provenance = new LinkedHashMap<>(origin);
        provenance.put("clusters", clusters);
        provenance.put("vectors", points);
        provenance.put("seeds", seeds);
        provenance.put("entropy_by_seed", mixed);
        provenance.put("entropy_image", image);
        provenance.put("entropy_text", text);
        provenance.put("tau_between_seeds", tausBetweenSeeds());
        provenance.put("tau_to_previous_clusters", withTextKeys(tausByClusters()));
        provenance.put("entropy_by_clusters", withTextKeys(byClusters));
        return Ranking.ascending(
                activation == Activation.OUTPUT ? RankingMethod.ENTROPY : RankingMethod.ENTROPY_NORMED_INPUT,
                mean(),
                provenance);
    }

    /** JSON has no other keys. */
    private static Map<String, Object> withTextKeys(SortedMap<Integer, ?> map) {
        Map<String, Object> text = new LinkedHashMap<>();
        map.forEach((key, value) -> text.put(key.toString(), value));
        return text;
    }
}
