package dev.luq.requant.rank;

import java.util.List;
import org.hipparchus.stat.correlation.KendallsCorrelation;

/** How far two rankings of the same layers agree. */
public final class Stability {

    private Stability() {
    }

    /**
     * Kendall's tau-b of two lists of scores: 1 for the same order, -1 for the opposite one. NaN for less than two
     * layers. The paper's normalised distance is {@code (1 - tau) / 2}, the share of pairs in opposite order.
     */
    public static double tau(List<Double> a, List<Double> b) {
        return new KendallsCorrelation().correlation(a.stream().mapToDouble(x -> x).toArray(),
                b.stream().mapToDouble(x -> x).toArray());
    }
}
