package dev.luq.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class GenerationMetersTest {

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final GenerationMeters meters = new GenerationMeters(registry);

    @Test
    void whatIsToldOfAModelIsMeasured() {
        meters.create("tiny");
        meters.rejected("tiny", "draining");
        meters.nextToken("tiny", Duration.ofMillis(5));
        assertEquals(
                1,
                registry.get(Metrics.REQUESTS_REJECTED.metricName())
                        .tag("reason", "draining")
                        .counter()
                        .count());
        assertEquals(
                1,
                registry.get(Metrics.INTER_TOKEN_LATENCY.metricName()).timer().count());
    }

    @Test
    void aModelThatIsGoneHasNoMetersAgain() {
        meters.create("tiny");
        meters.forget("tiny");
        registry.clear();
        meters.rejected("tiny", "draining");
        meters.firstToken("tiny", Duration.ofMillis(5));
        meters.nextToken("tiny", Duration.ofMillis(5));
        meters.ended("tiny", "cancelled", Duration.ofMillis(5), null, null);
        meters.workerDied("tiny", "SIGKILL");
        assertEquals(List.of(), registry.getMeters());
    }
}
