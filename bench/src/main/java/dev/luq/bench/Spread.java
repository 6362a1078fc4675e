package dev.luq.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.function.ToDoubleFunction;

/**
 * What several measurements of one thing gave.
 *
 * @param lower a quarter of the values are below
 * @param upper a quarter of the values are above
 */
record Spread(double min, double lower, double median, double upper, double max) {

    /** @param values in any order, one or more; left as they are */
    static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Spread(
                sorted[0],
                ofSorted(sorted, 0.25),
                ofSorted(sorted, 0.5),
                ofSorted(sorted, 0.75),
                sorted[sorted.length - 1]);
    }

    /**
     * The value that a share of the others is below.
     *
     * @param share 0 to 1
     * @param values in any order, one or more; left as they are
     */
    static double quantile(double share, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return ofSorted(sorted, share);
    }

    /** @param measurements one or more, of each of which one value counts */
    static <T> Spread of(Collection<T> measurements, ToDoubleFunction<T> value) {
        return of(measurements.stream().mapToDouble(value).toArray());
    }

    /** Between two values in proportion: type 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996. */
    private static double ofSorted(double[] sorted, double share) {
        double position = share * (sorted.length - 1);
        int below = (int) position;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
