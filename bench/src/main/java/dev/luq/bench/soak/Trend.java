package dev.luq.bench.soak;

import java.util.Arrays;
import java.util.List;

/**
 * Whether something grows: its median in the second quarter of a run, when all is warm, and in the last one.
 *
 * @param before the second quarter's
 * @param after the last quarter's
 */
record Trend(double before, double after) {

    /** @param values of the whole run, at even distances; four or more */
    static Trend of(List<? extends Number> values) {
        double[] all = values.stream().mapToDouble(Number::doubleValue).toArray();
        int quarter = all.length / 4;
        return new Trend(
                median(Arrays.copyOfRange(all, quarter, 2 * quarter)),
                median(Arrays.copyOfRange(all, all.length - quarter, all.length)));
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
    }

    /** Of before; negative where it shrinks. */
    double growth() {
        return after / before - 1;
    }

    /**
     * @param share of growth that is none
     * @param slack absolute growth that is none, for small numbers
     */
    boolean isFlat(double share, double slack) {
        return after - before <= Math.max(share * before, slack);
    }
}
