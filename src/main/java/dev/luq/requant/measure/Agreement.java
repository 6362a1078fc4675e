package dev.luq.requant.measure;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Arrays;
import org.hipparchus.stat.StatUtils;
import org.hipparchus.stat.descriptive.moment.StandardDeviation;
import org.hipparchus.stat.descriptive.rank.Percentile;

/**
 * How near a model's next-token distributions are to those of its base, over answer positions that are given the right
 * answer so far. Divergences are D(base || model) in nats.
 *
 * @param positions how many; every other value is 0 when there are none
 * @param meanKld mean divergence
 * @param meanKldError standard error of that mean, positions taken as independent
 * @param p99Kld 99th percentile, nearest rank: the smallest divergence that 99 % of the positions do not exceed
 * @param maxKld largest
 * @param top1 share of positions where both have the same likeliest token
 */
@RegisterForReflection
public record Agreement(int positions, double meanKld, double meanKldError, double p99Kld, double maxKld, double top1) {

    /** Of divergences in nats and the number of positions with the same likeliest token. */
    static Agreement of(double[] divergences, int same) {
        int n = divergences.length;
        if (n == 0) {
            return new Agreement(0, 0, 0, 0, 0, 0);
        }
        // Sorted, so that sums do not depend on the order. Rounding leaves sums such as -1e-9 where the truth is 0.
        double[] sorted = divergences.clone();
        Arrays.sort(sorted);
        double p99 = new Percentile()
                .withEstimationType(Percentile.EstimationType.R_1)
                .evaluate(sorted, 99);
        return new Agreement(
                n,
                Math.max(0, StatUtils.mean(sorted)),
                new StandardDeviation().evaluate(sorted) / Math.sqrt(n),
                Math.max(0, p99),
                Math.max(0, sorted[n - 1]),
                (double) same / n);
    }
}
