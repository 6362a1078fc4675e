package dev.luq.telemetry;

import dev.luq.decoder.DecoderException.Reason;
import dev.luq.decoder.DecoderListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Measures the decoding of images. */
@Singleton
public class DecoderMeters implements DecoderListener {

    private final Timer decodes;
    private final Map<Reason, Counter> restarts = new EnumMap<>(Reason.class);

    @Inject
    DecoderMeters(MeterRegistry registry) {
        decodes = Timer.builder(Metrics.IMAGE_DECODE.metricName())
                .description(Metrics.IMAGE_DECODE.help())
                .serviceLevelObjectives(Metrics.LATENCY_BOUNDS)
                .register(registry);
        for (Reason reason : List.of(Reason.TIME, Reason.MEMORY, Reason.CRASH, Reason.START)) {
            restarts.put(
                    reason,
                    Counter.builder(Metrics.DECODER_RESTARTS.metricName())
                            .description(Metrics.DECODER_RESTARTS.help())
                            .tag("reason", reason.name().toLowerCase(Locale.ROOT))
                            .register(registry));
        }
    }

    @Override
    public void decoded(long nanos) {
        decodes.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void replaced(Reason reason) {
        restarts.get(reason).increment();
    }
}
