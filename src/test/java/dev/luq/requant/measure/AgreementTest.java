package dev.luq.requant.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AgreementTest {

    @Test
    void thePercentileIsTheNearestRank() {
        double[] oneToHundred =
                IntStream.rangeClosed(1, 100).mapToDouble(i -> i).toArray();
        assertEquals(99, Agreement.of(oneToHundred, 0).p99Kld());
        double[] oneToThousand =
                IntStream.rangeClosed(1, 1000).mapToDouble(i -> i).toArray();
        assertEquals(990, Agreement.of(oneToThousand, 0).p99Kld());
        assertEquals(3, Agreement.of(new double[] {1, 3, 2}, 0).p99Kld());
    }

    @Test
    void orderDoesNotMatter() {
        Agreement up = Agreement.of(new double[] {0.1, 0.2, 0.4}, 2);
        assertEquals(up, Agreement.of(new double[] {0.4, 0.1, 0.2}, 2));
        assertEquals(0.7 / 3, up.meanKld(), 1e-15);
        assertEquals(0.4, up.maxKld());
        assertEquals(2 / 3.0, up.top1());
    }

    /** Sample standard deviation of 1, 2, 3 is 1. */
    @Test
    void theErrorOfTheMeanIsDeviationByRootOfCount() {
        assertEquals(1 / Math.sqrt(3), Agreement.of(new double[] {1, 2, 3}, 0).meanKldError(), 1e-15);
        assertEquals(0, Agreement.of(new double[] {1}, 0).meanKldError());
    }

    @Test
    void roundingNeverMakesADistanceNegative() {
        Agreement rounded = Agreement.of(new double[] {-1e-9, -2e-9}, 2);
        assertEquals(0, rounded.meanKld());
        assertEquals(0, rounded.p99Kld());
    }

    @Test
    void nothingMeasuredIsAllZero() {
        assertEquals(new Agreement(0, 0, 0, 0, 0, 0), Agreement.of(new double[0], 0));
    }
}
