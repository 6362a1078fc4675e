package dev.luq.cli;

import java.util.Arrays;
import java.util.Collection;
import java.util.function.ToDoubleFunction;

/** What several measurements of one thing gave. */
record Spread(double min, double median, double max) {

    /** @param values in any order, one or more; left as they are */
    static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(sorted[0], median, sorted[sorted.length - 1]);
    }

    /** @param measurements one or more, of each of which one value counts */
    static <T> Spread of(Collection<T> measurements, ToDoubleFunction<T> value) {
        return of(measurements.stream().mapToDouble(value).toArray());
    }
}
