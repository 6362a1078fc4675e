package dev.luq.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whether something grows. */
class TrendTest {

    @Test
    void theWarmUpAndPeaksDoNotCount() {
        Trend trend = Trend.of(List.of(1, 1, 1, 100, 900, 100, 100, 100, 100, 104, 104, 900));
        assertEquals(new Trend(100, 104), trend);
        assertEquals(0.04, trend.growth(), 1e-9);
        assertTrue(trend.isFlat(0.05, 0));
        assertFalse(trend.isFlat(0.03, 0));
        assertTrue(trend.isFlat(0.03, 4));
    }

    @Test
    void steadyGrowthIsSeenAndShrinkingIsNone() {
        assertFalse(Trend.of(IntStream.range(100, 200).boxed().toList()).isFlat(0.05, 0));
        assertTrue(Trend.of(IntStream.range(0, 100).mapToObj(i -> 200 - i).toList())
                .isFlat(0.05, 0));
    }
}
