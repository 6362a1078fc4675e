package dev.luq.telemetry;

import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.GenerationListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Measures generations as they happen. Meters of a model are created with zeros, so that the first event is a change. */
@Singleton
public class GenerationMeters implements GenerationListener {

    private static final List<String> ANSWERED = List.of("stop", "length", "tool_calls");
    private static final List<String> UNANSWERED = List.of("cancelled", "error");
    private static final List<String> REASONS = List.of(
            "queue_full",
            "model_loading",
            "worker_restarting",
            "draining",
            "model_failed",
            "model_not_loaded",
            "model_does_not_fit",
            "input_quarantined",
            "request_too_large");
    private static final List<String> SIGNALS =
            List.of("SIGKILL", "SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "crash", "exit");

    private final MeterRegistry registry;
    /** By model, of those that there are: looking a timer up in the registry costs more than recording. */
    private final Map<String, Timer> interTokenLatencies = new ConcurrentHashMap<>();

    @Inject
    GenerationMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** The model is gone: what is still told of it is not recorded. */
    void forget(String modelId) {
        interTokenLatencies.remove(modelId);
    }

    /** Records something of a model, unless it is gone: its meters would come back. */
    void record(String modelId, Runnable recording) {
        interTokenLatencies.computeIfPresent(modelId, (id, latency) -> {
            recording.run();
            return latency;
        });
    }

    void create(String modelId) {
        for (Metrics latency : List.of(
                Metrics.TIME_TO_FIRST_TOKEN,
                Metrics.E2E_LATENCY,
                Metrics.QUEUE_TIME,
                Metrics.PREFILL_TIME,
                Metrics.DECODE_TIME)) {
            timer(latency, modelId);
        }
        tokens(Metrics.REQUEST_PROMPT_TOKENS, modelId);
        tokens(Metrics.REQUEST_GENERATION_TOKENS, modelId);
        ANSWERED.forEach(reason -> counter(Metrics.REQUEST_SUCCESS, modelId, "finished_reason", reason));
        UNANSWERED.forEach(reason -> counter(Metrics.REQUESTS_FAILED, modelId, "finished_reason", reason));
        REASONS.forEach(reason -> counter(Metrics.REQUESTS_REJECTED, modelId, "reason", reason));
        SIGNALS.forEach(signal -> counter(Metrics.WORKER_RESTARTS, modelId, "signal", signal));
        interTokenLatencies.put(modelId, timer(Metrics.INTER_TOKEN_LATENCY, modelId));
    }

    @Override
    public void rejected(String modelId, String reason) {
        record(modelId, () -> counter(Metrics.REQUESTS_REJECTED, modelId, "reason", reason)
                .increment());
    }

    @Override
    public void firstToken(String modelId, Duration sinceArrival) {
        record(modelId, () -> timer(Metrics.TIME_TO_FIRST_TOKEN, modelId).record(sinceArrival));
    }

    @Override
    public void nextToken(String modelId, Duration sincePrevious) {
        Timer latency = interTokenLatencies.get(modelId);
        if (latency != null) {
            latency.record(sincePrevious);
        }
    }

    @Override
    public void ended(
            String modelId,
            String finishReason,
            Duration total,
            WorkerFrame.Accepted accepted,
            WorkerFrame.Finished finished) {
        record(modelId, () -> recordEnd(modelId, finishReason, total, accepted, finished));
    }

    private void recordEnd(
            String modelId,
            String finishReason,
            Duration total,
            WorkerFrame.Accepted accepted,
            WorkerFrame.Finished finished) {
        timer(Metrics.E2E_LATENCY, modelId).record(total);
        if (accepted != null) {
            tokens(Metrics.REQUEST_PROMPT_TOKENS, modelId).record(accepted.promptTokens());
        }
        if (finished == null) {
            counter(Metrics.REQUESTS_FAILED, modelId, "finished_reason", finishReason)
                    .increment();
            return;
        }
        counter(Metrics.REQUEST_SUCCESS, modelId, "finished_reason", finishReason)
                .increment();
        tokens(Metrics.REQUEST_GENERATION_TOKENS, modelId).record(finished.completionTokens());
        WorkerFrame.Timings timings = finished.timings();
        timer(Metrics.QUEUE_TIME, modelId).record(millis(timings.queueMillis()));
        timer(Metrics.PREFILL_TIME, modelId).record(millis(timings.prefillMillis()));
        timer(Metrics.DECODE_TIME, modelId).record(millis(timings.decodeMillis()));
    }

    @Override
    public void workerDied(String modelId, String signal) {
        record(modelId, () -> counter(Metrics.WORKER_RESTARTS, modelId, "signal", signal)
                .increment());
    }

    private static Duration millis(double millis) {
        return Duration.ofNanos(Math.round(millis * 1e6));
    }

    // The registry answers with the meter that is there already.

    private Timer timer(Metrics metric, String modelId) {
        return Timer.builder(metric.metricName())
                .description(metric.help())
                .tag(Metrics.MODEL, modelId)
                .serviceLevelObjectives(Metrics.LATENCY_BOUNDS)
                .register(registry);
    }

    private DistributionSummary tokens(Metrics metric, String modelId) {
        return DistributionSummary.builder(metric.metricName())
                .description(metric.help())
                .tag(Metrics.MODEL, modelId)
                .serviceLevelObjectives(Metrics.TOKEN_BOUNDS)
                .register(registry);
    }

    private Counter counter(Metrics metric, String modelId, String label, String value) {
        return Counter.builder(metric.metricName())
                .description(metric.help())
                .tag(Metrics.MODEL, modelId)
                .tag(label, value)
                .register(registry);
    }
}
