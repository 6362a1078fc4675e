package dev.luq.serving;

import static java.time.Duration.ofSeconds;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RestartPolicyTest {

    private final RestartPolicy policy = new RestartPolicy(TestConfig.of(Map.of(
                    "restart.back-off",
                    "1S",
                    "restart.max-back-off",
                    "5S",
                    "restart.stable-after",
                    "60S",
                    "restart.load-attempts",
                    "3"))
            .restart());

    @Test
    void aModelThatNeverLoadsIsGivenUp() {
        assertEquals(Optional.of(Duration.ZERO), policy.died(seconds(1)));
        assertEquals(Optional.of(ofSeconds(1)), policy.died(seconds(2)));
        assertEquals(Optional.empty(), policy.died(seconds(3)));
    }

    @Test
    void aModelThatWasReadyIsTriedForEverWithGrowingPauses() {
        policy.ready(seconds(0));
        assertEquals(Optional.of(Duration.ZERO), policy.died(seconds(10)));
        for (int expected : new int[] {1, 2, 4, 5, 5, 5}) {
            assertEquals(Optional.of(ofSeconds(expected)), policy.died(seconds(20)));
        }
    }

    @Test
    void oneThatWasReadyForLongStartsAtOnceAgain() {
        policy.ready(seconds(0));
        policy.died(seconds(10));
        policy.ready(seconds(11));
        assertEquals(Optional.of(ofSeconds(1)), policy.died(seconds(70)), "59 seconds are not stable");
        policy.ready(seconds(100));
        assertEquals(Optional.of(Duration.ZERO), policy.died(seconds(160)));
    }

    private static long seconds(long seconds) {
        return ofSeconds(seconds).toNanos();
    }
}
