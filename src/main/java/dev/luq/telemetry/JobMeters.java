package dev.luq.telemetry;

import dev.luq.jobs.JobListener;
import dev.luq.jobs.JobState;
import dev.luq.jobs.Jobs;
import dev.luq.requant.spec.Phase;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Locale;

/** Measures re-quantizations. */
@Singleton
public class JobMeters implements JobListener {

    private final MeterRegistry registry;

    @Inject
    JobMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void start(@Observes StartupEvent event, Jobs jobs) {
        for (JobState state : JobState.values()) {
            Gauge.builder(Metrics.REQUANTIZE_JOBS.metricName(), jobs, j -> j.count(state))
                    .description(Metrics.REQUANTIZE_JOBS.help())
                    .tag("state", text(state))
                    .register(registry);
        }
        for (Phase phase : Phase.values()) {
            timer(phase);
        }
    }

    @Override
    public void phaseEnded(Phase phase, Duration duration) {
        timer(phase).record(duration);
    }

    private Timer timer(Phase phase) {
        return Timer.builder(Metrics.REQUANTIZE_PHASE.metricName())
                .description(Metrics.REQUANTIZE_PHASE.help())
                .tag("phase", text(phase))
                .serviceLevelObjectives(Metrics.PHASE_BOUNDS)
                .register(registry);
    }

    private static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
