package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void theMedianIsTheMiddleOrBetweenTheTwoInTheMiddle() {
        assertEquals(new Spread(1, 2, 9), Spread.of(2, 9, 1));
        assertEquals(new Spread(1, 3, 9), Spread.of(4, 9, 1, 2));
        assertEquals(new Spread(5, 5, 5), Spread.of(5));
    }

    @Test
    void oneValueOfEachMeasurementCounts() {
        assertEquals(new Spread(1, 2, 4), Spread.of(List.of("abcd", "a", "ab"), String::length));
    }
}
