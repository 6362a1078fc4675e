package dev.luq.requant.rank;

import java.util.List;

/**
 * How layer entropies are found.
 *
 * @param clusters K of the K-means; the paper's is 100
 * @param sweep further K for which the ranking is compared, ascending
 * @param seeds for drawing the vectors and for K-means, one ranking each; the first one serves the sweep
 * @param points vectors clustered at most
 * @param threads compute threads; 0 takes the processors available. The result does not depend on it
 */
public record EntropyOptions(int clusters, List<Integer> sweep, List<Long> seeds, int points, int threads) {

    /** The paper's K, five seeds, and K from 50 to 150. */
    public static final EntropyOptions DEFAULT =
            new EntropyOptions(100, List.of(50, 75, 100, 125, 150), List.of(1L, 2L, 3L, 4L, 5L), 8192, 0);

    public EntropyOptions {
        sweep = sweep.stream().sorted().distinct().toList();
        seeds = List.copyOf(seeds);
        if (clusters < 2
                || seeds.isEmpty()
                || points < clusters
                || threads < 0
                || sweep.stream().anyMatch(k -> k < 2)) {
            throw new IllegalArgumentException("clusters are 2 or more, points at least as many, and there is a seed");
        }
    }
}
