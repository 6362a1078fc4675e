package dev.luq.telemetry;

import dev.luq.protocol.WorkerFrame.EngineStats;
import dev.luq.serving.ModelListener;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.Totals;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The metrics that llama-server has, by its names, in the text format of Prometheus: sums over all models, without
 * labels. Counters count models too that are no longer in the catalogue. Its throughputs are those since the scrape
 * before, as there. Thread-safe.
 */
@Singleton
public class LlamaServerMetrics implements ModelListener {

    private static final double MILLIS = 1000;

    /**
     * What is read at a scrape.
     *
     * @param waiting requests that wait for their model or a slot, or are being prepared
     * @param promptThroughput tokens a second since the scrape before; 0 when there was none
     * @param throughput generated tokens a second since the scrape before
     */
    private record Reading(EngineStats totals, int waiting, double promptThroughput, double throughput) {}

    private record Metric(String type, String name, String help, ToDoubleFunction<Reading> value) {}

    private static final List<Metric> METRICS = List.of(
            counter("prompt_tokens_total", "Prompt tokens that were evaluated", EngineStats::evaluatedTokens),
            counter("prompt_tokens_cached_total", "Prompt tokens taken from the cache", LlamaServerMetrics::cached),
            counter("prompt_seconds_total", "Evaluating prompts, of all requests", s -> s.promptMillis() / MILLIS),
            counter("tokens_predicted_total", "Generated tokens", EngineStats::generationTokens),
            counter(
                    "tokens_predicted_seconds_total",
                    "Generating tokens, of all requests",
                    s -> s.generationMillis() / MILLIS),
            counter("n_decode_total", "Batches of tokens that were decoded", EngineStats::decodes),
            counter("n_tokens_max", "Tokens of the longest sequence so far", EngineStats::longestSequence),
            counter(
                    "spec_decode_num_draft_tokens_total",
                    "Tokens drafted by prompt lookup",
                    EngineStats::draftedTokens),
            counter(
                    "spec_decode_num_accepted_tokens_total",
                    "Drafted tokens that are part of answers",
                    EngineStats::acceptedTokens),
            counter("spec_decode_num_drafts_total", "Drafts of one token or more", EngineStats::drafts),
            gauge("prompt_tokens_seconds", "Prompt tokens a second since the last scrape", Reading::promptThroughput),
            gauge("predicted_tokens_seconds", "Generated tokens a second since the last scrape", Reading::throughput),
            gauge("requests_processing", "Requests that hold a slot", r -> r.totals()
                    .running()),
            gauge("requests_deferred", "Requests that wait for their model or a slot", Reading::waiting),
            gauge("n_busy_slots_per_decode", "Sequences in a batch of tokens, on average", LlamaServerMetrics::busy));

    /** Of the models that are there, by their ids. Guarded by this. */
    private final Map<String, ModelWorker> workers = new HashMap<>();
    /** Of the models that were: Prometheus takes a counter that goes back for a server that started again. Guarded by this. */
    private EngineStats past = Totals.NONE;
    /** At the scrape before. Guarded by this. */
    private EngineStats before = Totals.NONE;

    @Override
    public synchronized void added(ModelWorker worker) {
        workers.put(worker.modelId(), worker);
    }

    @Override
    public void changed(ModelWorker worker) {
        // its worker counts on
    }

    @Override
    public synchronized void removed(String modelId) {
        ModelWorker worker = workers.remove(modelId);
        if (worker != null) {
            // No process serves it any more: its gauges are 0.
            past = Totals.sum(past, worker.totals());
        }
    }

    private static Metric counter(String name, String help, ToDoubleFunction<EngineStats> value) {
        return new Metric("counter", name, help, reading -> value.applyAsDouble(reading.totals()));
    }

    private static Metric gauge(String name, String help, ToDoubleFunction<Reading> value) {
        return new Metric("gauge", name, help, value);
    }

    private static double cached(EngineStats totals) {
        return (double) totals.promptTokens() - totals.evaluatedTokens();
    }

    private static double busy(Reading reading) {
        return (double) reading.totals().decodedSequences()
                / Math.max(1, reading.totals().decodes());
    }

    /** All of them. The throughputs of the next scrape begin here. */
    String scrape() {
        Reading reading = read();
        StringBuilder text = new StringBuilder();
        for (Metric metric : METRICS) {
            String name = "llamacpp:" + metric.name();
            text.append("# HELP ")
                    .append(name)
                    .append(' ')
                    .append(metric.help())
                    .append('\n');
            text.append("# TYPE ")
                    .append(name)
                    .append(' ')
                    .append(metric.type())
                    .append('\n');
            text.append(name)
                    .append(' ')
                    .append(metric.value().applyAsDouble(reading))
                    .append('\n');
        }
        return text.toString();
    }

    private synchronized Reading read() {
        EngineStats now = past;
        int waiting = 0;
        for (ModelWorker worker : workers.values()) {
            now = Totals.sum(now, worker.totals());
            waiting += worker.waiting();
        }
        Reading reading = new Reading(
                now,
                waiting,
                perSecond(now.evaluatedTokens() - before.evaluatedTokens(), now.promptMillis() - before.promptMillis()),
                perSecond(
                        now.generationTokens() - before.generationTokens(),
                        now.generationMillis() - before.generationMillis()));
        before = now;
        return reading;
    }

    private static double perSecond(long tokens, double millis) {
        return tokens > 0 && millis > 0 ? tokens * MILLIS / millis : 0;
    }
}
