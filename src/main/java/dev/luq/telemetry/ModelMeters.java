package dev.luq.telemetry;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.protocol.WorkerFrame.EngineStats;
import dev.luq.serving.ModelListener;
import dev.luq.serving.ModelWorker;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** Shows the state of every model's worker at the time of a scrape. */
@Singleton
public class ModelMeters implements ModelListener {

    private static final List<String> UNLOAD_REASONS = List.of("idle", "evicted", "admin");

    private final MeterRegistry registry;
    private final Catalog catalog;
    private final GenerationMeters generations;

    @Inject
    ModelMeters(MeterRegistry registry, Catalog catalog, GenerationMeters generations) {
        this.registry = registry;
        this.catalog = catalog;
        this.generations = generations;
    }

    @Override
    public void added(ModelWorker worker) {
        state(worker);
        loads(worker.modelId());
        UNLOAD_REASONS.forEach(reason -> unloads(worker.modelId(), reason));
        generations.create(worker.modelId());
        describe(worker.modelId());
    }

    /** The meters that describe files are of the files before: their labels and values are fixed. */
    @Override
    public void changed(ModelWorker worker) {
        remove(
                meter -> meter.getName().equals(Metrics.MODEL_INFO.metricName())
                        || meter.getName().equals(Metrics.MODEL_MEMORY.metricName())
                                && !"resident".equals(meter.getTag("part")),
                worker.modelId());
        describe(worker.modelId());
    }

    @Override
    public void removed(String modelId) {
        generations.forget(modelId);
        remove(meter -> true, modelId);
    }

    @Override
    public void loaded(String modelId, Duration took) {
        generations.record(modelId, () -> loads(modelId).record(took));
    }

    @Override
    public void unloaded(String modelId, String reason) {
        generations.record(modelId, () -> unloads(modelId, reason).increment());
    }

    // The registry answers with the meter that is there already.

    private Timer loads(String modelId) {
        return Timer.builder(Metrics.MODEL_LOAD.metricName())
                .description(Metrics.MODEL_LOAD.help())
                .tag(Metrics.MODEL, modelId)
                .serviceLevelObjectives(Metrics.LOAD_BOUNDS)
                .register(registry);
    }

    private Counter unloads(String modelId, String reason) {
        return Counter.builder(Metrics.MODEL_UNLOADS.metricName())
                .description(Metrics.MODEL_UNLOADS.help())
                .tag(Metrics.MODEL, modelId)
                .tag("reason", reason)
                .register(registry);
    }

    private void remove(Predicate<Meter.Id> which, String modelId) {
        for (Meter meter : registry.getMeters()) {
            if (modelId.equals(meter.getId().getTag(Metrics.MODEL)) && which.test(meter.getId())) {
                registry.remove(meter);
            }
        }
    }

    private void describe(String modelId) {
        catalog.find(modelId).flatMap(CatalogEntry::facts).ifPresent(facts -> facts(modelId, facts));
    }

    private void state(ModelWorker worker) {
        gauge(Metrics.MODEL_READY, worker, w -> w.isServing() ? 1 : 0);
        gauge(Metrics.REQUESTS_WAITING, worker, ModelWorker::waiting);
        gauge(Metrics.REQUESTS_RUNNING, worker, w -> w.totals().running());
        gauge(Metrics.KV_CACHE_USAGE, worker, w -> {
            EngineStats stats = w.totals();
            return stats.kvCells() == 0 ? 0 : (double) stats.kvCellsUsed() / stats.kvCells();
        });
        counter(Metrics.PROMPT_TOKENS, worker, EngineStats::promptTokens);
        counter(Metrics.GENERATION_TOKENS, worker, EngineStats::generationTokens);
        counter(Metrics.DRAFTED_TOKENS, worker, EngineStats::draftedTokens);
        counter(Metrics.ACCEPTED_TOKENS, worker, EngineStats::acceptedTokens);
        counter(Metrics.PREFIX_CACHE_QUERIES, worker, EngineStats::prefixQueries);
        counter(Metrics.PREFIX_CACHE_HITS, worker, EngineStats::prefixHits);
        gauge(Metrics.PROMPT_CACHE_BYTES, worker, w -> w.totals().promptCacheBytes());
        counter(Metrics.PROMPT_CACHE_HITS, worker, EngineStats::promptCacheHits);
        counter(Metrics.PROMPT_CACHE_EVICTIONS, worker, EngineStats::promptCacheEvictions);
        counter(Metrics.IMAGE_CACHE_QUERIES, worker, EngineStats::imageQueries);
        counter(Metrics.IMAGE_CACHE_HITS, worker, EngineStats::imageHits);
        counter(Metrics.IMAGE_FILE_QUERIES, worker, EngineStats::imageFileQueries);
        counter(Metrics.IMAGE_FILE_HITS, worker, EngineStats::imageFileHits);
        counter(Metrics.PROMPT_FILE_QUERIES, worker, EngineStats::promptFileQueries);
        counter(Metrics.PROMPT_FILE_HITS, worker, EngineStats::promptFileHits);
        counter(Metrics.IMAGE_TOKENS, worker, EngineStats::imageTokens);
        counter(Metrics.REQUESTS_CANCELLED, worker, EngineStats::cancelled);
        FunctionTimer.builder(
                        Metrics.IMAGE_ENCODE.metricName(),
                        worker,
                        w -> w.totals().imagesEncoded(),
                        w -> w.totals().imageEncodeMillis(),
                        TimeUnit.MILLISECONDS)
                .description(Metrics.IMAGE_ENCODE.help())
                .tag(Metrics.MODEL, worker.modelId())
                .register(registry);
        Gauge.builder(Metrics.MODEL_MEMORY.metricName(), worker, w -> w.residence()
                        .measuredBytes())
                .description(Metrics.MODEL_MEMORY.help())
                .tag(Metrics.MODEL, worker.modelId())
                .tag("part", "resident")
                .register(registry);
    }

    private void facts(String modelId, CatalogEntry.Facts facts) {
        Gauge.builder(Metrics.MODEL_INFO.metricName(), () -> 1)
                .description(Metrics.MODEL_INFO.help())
                .tag(Metrics.MODEL, modelId)
                .tag("quantization", facts.quantization().orElse("unknown"))
                .tag("bits_per_weight", String.format(Locale.ROOT, "%.2f", facts.bitsPerWeight()))
                .register(registry);
        weights(modelId, "model", facts.bytes());
        weights(modelId, "mmproj", facts.mmprojBytes());
    }

    private void weights(String modelId, String part, long bytes) {
        Gauge.builder(Metrics.MODEL_MEMORY.metricName(), () -> bytes)
                .description(Metrics.MODEL_MEMORY.help())
                .tag(Metrics.MODEL, modelId)
                .tag("part", part)
                .register(registry);
    }

    private void gauge(Metrics metric, ModelWorker worker, ToDoubleFunction<ModelWorker> value) {
        Gauge.builder(metric.metricName(), worker, value)
                .description(metric.help())
                .tag(Metrics.MODEL, worker.modelId())
                .register(registry);
    }

    private void counter(Metrics metric, ModelWorker worker, ToDoubleFunction<EngineStats> value) {
        FunctionCounter.builder(metric.metricName(), worker, w -> value.applyAsDouble(w.totals()))
                .description(metric.help())
                .tag(Metrics.MODEL, worker.modelId())
                .register(registry);
    }
}
