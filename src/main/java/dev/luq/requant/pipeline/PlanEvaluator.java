package dev.luq.requant.pipeline;

import dev.luq.files.JsonFile;
import dev.luq.llama.ModelQuantizer;
import dev.luq.llama.Quantizer;
import dev.luq.machine.KvType;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.feed.FeedCache;
import dev.luq.requant.measure.Evaluation;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.quantize.AssembledModel;
import dev.luq.requant.quantize.Requantizer;
import dev.luq.requant.quantize.UniformModels;
import dev.luq.requant.store.LayerStore;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Makes the models of plans and measures them. Results are cached by what they depend on. For one thread. */
final class PlanEvaluator implements AutoCloseable {

    /** Bytes of image embeddings that are kept. */
    private static final long EMBEDDINGS = 512L << 20;
    /** Raised when measurements or quantizations change their results. */
    private static final String VERSION = "1";

    private final JobInputs inputs;
    private final LayerStore store;
    private final Cache cache;
    private final Threads threads;
    private final Path jobFolder;
    private final Map<String, Requantizer> requantizers = new HashMap<>();
    private final Map<Dataset, String> digests = new HashMap<>();
    /** By projector. Every model of a job sees the same images. */
    private final Map<Path, FeedCache> feedCaches = new HashMap<>();

    /** @param jobFolder for models that are measured and not kept: they go with it when the process is killed meanwhile */
    PlanEvaluator(JobInputs inputs, LayerStore store, Cache cache, Threads threads, Path jobFolder) {
        this.inputs = inputs;
        this.store = store;
        this.cache = cache;
        this.threads = threads;
        this.jobFolder = jobFolder;
    }

    /** The model of a plan, complete in the store. */
    AssembledModel assemble(Plan plan, KeyedImatrix matrix, JobProgress progress) {
        try {
            return requantizers
                    .computeIfAbsent(
                            matrix.key(),
                            key -> new Requantizer(
                                    store,
                                    inputs.model(),
                                    inputs.mmproj(),
                                    Optional.of(matrix.values()),
                                    threads.slices()))
                    .assemble(plan, progress);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How near the model of a plan is to the base model on a set, and how many of its answers are right. */
    Quality quality(Plan plan, KeyedImatrix matrix, Dataset set, boolean exactMatch, JobProgress progress) {
        List<String> facts = facts(
                "plan",
                set,
                exactMatch,
                matrix.key(),
                new String(JsonFile.bytes(plan), StandardCharsets.UTF_8),
                Quantizer.method());
        return measured(facts, set, exactMatch, progress, quantizing -> {
            AssembledModel model = assemble(plan, matrix, quantizing);
            return open(model.splits(), model.mmproj());
        });
    }

    /** The base model's own quality: what it answers right. */
    Quality baseQuality(Dataset set, JobProgress progress) {
        return measured(facts("base", set, true), set, true, progress, none -> openBase());
    }

    /** A uniform model of llama.cpp. */
    @RegisterForReflection
    record Uniform(long tensorBytes, Quality quality) {}

    /** llama.cpp's own mix over the whole model, with this importance matrix. Its file is not kept. */
    Uniform uniform(ModelQuantizer.FileType type, KeyedImatrix matrix, Dataset set, JobProgress progress) {
        List<String> facts = facts("uniform", set, true, matrix.key(), type.name());
        return cache.value("uniform", facts, Uniform.class, () -> {
            Path file = jobFolder.resolve(cache.path("uniform", facts, ".gguf").getFileName());
            try {
                long bytes = UniformModels.quantize(
                        inputs.model(), type, Optional.of(matrix.values()), threads.slices(), file);
                Quality quality = measure(
                        set,
                        true,
                        progress,
                        none -> open(List.of(file), inputs.mmproj().map(mmproj -> mmproj.paths()
                                .get(0))));
                return new Uniform(bytes, quality);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                delete(file);
            }
        });
    }

    /** Mean KL divergence of a plan from the base on the examples held out of the calibration, in nats. */
    double tuningKld(Plan plan, KeyedImatrix matrix, JobProgress progress) {
        return quality(plan, matrix, inputs.tuning(), false, progress).all().meanKld();
    }

    /**
     * Measures each layer at each precision, all others high, on the tuning examples.
     *
     * @param precisions that are measured
     */
    LayerCosts costs(List<Precision> precisions, Plan high, KeyedImatrix matrix, JobProgress progress) {
        int layers = high.layers().size();
        List<Map<Precision, Double>> costs = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            Map<Precision, Double> measured = new TreeMap<>();
            for (int p = 0; p < precisions.size(); p++) {
                measured.put(
                        precisions.get(p),
                        tuningKld(
                                high.with(layer, precisions.get(p)),
                                matrix,
                                progress.part(layer * precisions.size() + p, layers * precisions.size())));
            }
            costs.add(measured);
        }
        return new LayerCosts(costs);
    }

    private Quality measured(List<String> facts, Dataset set, boolean exactMatch, JobProgress progress, Opener opener) {
        return cache.value("quality", facts, Quality.class, () -> measure(set, exactMatch, progress, opener));
    }

    private Quality measure(Dataset set, boolean exactMatch, JobProgress progress, Opener opener) {
        Evaluation evaluation =
                new Evaluation(set, outputs(cache, inputs.identity(), digest(set), inputs.imageTokens()));
        if (!evaluation.hasBase()) {
            try (FeederPool base = openBase()) {
                evaluation.recordBase(base.lanes(), progress.part(0, 0.3));
            }
        }
        try (FeederPool model = opener.open(progress.part(0.3, 0.6))) {
            return evaluation.run(model.lanes(), exactMatch, progress.part(0.6, 1));
        }
    }

    /** Makes a model, if need be, and loads it. */
    private interface Opener {
        FeederPool open(JobProgress making);
    }

    private FeederPool openBase() {
        return open(inputs.model().paths(), inputs.mmproj().map(mmproj -> mmproj.paths()
                .get(0)));
    }

    private FeederPool open(List<Path> model, Optional<Path> mmproj) {
        return FeederPool.open(
                model,
                mmproj,
                inputs.imageTokens(),
                inputs.chatTemplate(),
                KvType.F16,
                threads,
                feedCaches.computeIfAbsent(mmproj.orElse(Path.of("")), path -> new FeedCache(EMBEDDINGS)));
    }

    /**
     * Where the base model's outputs for a set are kept.
     *
     * @param imageTokens of an image at most; 0: the model's own bound
     */
    static Path outputs(Cache cache, String identity, String setDigest, int imageTokens) {
        return cache.path(
                "outputs",
                List.of(VERSION, identity, setDigest, FeederPool.CONTEXT + " " + FeederPool.BATCH + " " + imageTokens),
                ".bin");
    }

    private String digest(Dataset set) {
        return digests.computeIfAbsent(set, Dataset::digest);
    }

    private List<String> facts(String what, Dataset set, boolean exactMatch, String... more) {
        List<String> facts = new ArrayList<>(List.of(
                what,
                VERSION,
                inputs.identity(),
                digest(set),
                String.valueOf(inputs.imageTokens()),
                String.valueOf(exactMatch)));
        facts.addAll(List.of(more));
        return facts;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        requantizers.values().forEach(Requantizer::close);
        feedCaches.values().forEach(FeedCache::close);
    }
}
