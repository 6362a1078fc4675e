package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void theMedianIsTheMiddleOrBetweenTheTwoInTheMiddle() {
        assertEquals(2, Spread.of(2, 9, 1).median());
        assertEquals(3, Spread.of(4, 9, 1, 2).median());
        assertEquals(new Spread(5, 5, 5, 5, 5), Spread.of(5));
    }

    @Test
    void halfOfTheValuesAreBetweenTheQuartiles() {
        assertEquals(new Spread(1, 2, 3, 4, 9), Spread.of(9, 4, 2, 3, 1));
        assertEquals(new Spread(1, 1.75, 3, 5.25, 9), Spread.of(4, 9, 1, 2));
    }

    @Test
    void aShareOfTheValuesIsBelowAQuantile() {
        double[] hundred =
                IntStream.rangeClosed(0, 100).mapToDouble(i -> 100 - i).toArray();
        assertEquals(99, Spread.quantile(0.99, hundred));
        assertEquals(100, hundred[0], "left as they are");
        assertEquals(7, Spread.quantile(0.99, 7));
    }

    @Test
    void oneValueOfEachMeasurementCounts() {
        assertEquals(new Spread(1, 1.5, 2, 3, 4), Spread.of(List.of("abcd", "a", "ab"), String::length));
    }
}
