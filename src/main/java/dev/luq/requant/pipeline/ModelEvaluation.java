package dev.luq.requant.pipeline;

import dev.luq.files.DataFolder;
import dev.luq.files.ProcessLock;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.machine.KvType;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.feed.FeedCache;
import dev.luq.requant.measure.Evaluation;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreLease;
import dev.luq.requant.store.StoredModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleConsumer;

/** Measures any model beside a base, outside of a job. The base model's outputs are kept in the data folder. */
public final class ModelEvaluation {

    private final DataFolder data;
    private final List<Path> base;
    private final Optional<Path> mmproj;
    private final Path set;
    private final int imageTokens;
    private final Optional<String> chatTemplate;
    private final KvType kv;
    private final int threads;

    /** A model to measure. */
    public sealed interface Target {

        /** @param files a GGUF, or its split files in order; served with the base model's projector */
        record OfFiles(List<Path> files) implements Target {}

        /** @param manifestId a model of the store */
        record OfStore(String manifestId) implements Target {}
    }

    /**
     * @param tensorBytes of the language model
     * @param bitsPerWeight of it
     * @param quality measured
     * @param baseQuality the base model's, for its right answers
     */
    public record Result(long tensorBytes, double bitsPerWeight, Quality quality, Quality baseQuality) {}

    /**
     * @param base the base model's files
     * @param mmproj its projector
     * @param set folder of the evaluation set
     * @param imageTokens images are reduced to this many tokens, as when the models are served; 0: their own bound
     * @param chatTemplate in place of the models' own: Jinja, or the name of one that llama.cpp has
     * @param kv number format of the measured model's KV cache; the base model's is F16
     * @param threads compute threads; 0 takes the processors available
     */
    public ModelEvaluation(
            DataFolder data,
            List<Path> base,
            Optional<Path> mmproj,
            Path set,
            int imageTokens,
            Optional<String> chatTemplate,
            KvType kv,
            int threads) {
        this.data = data;
        this.base = List.copyOf(base);
        this.mmproj = mmproj;
        this.set = set;
        this.imageTokens = imageTokens;
        this.chatTemplate = chatTemplate;
        this.kv = kv;
        this.threads = threads;
    }

    /**
     * Measures.
     *
     * @param listener gets shares of the work done, 0 to 1
     * @param waits called when another job with this data folder must end first
     * @throws RequantizationException.Failed it cannot be measured; the message says why
     */
    public Result run(Target target, DoubleConsumer listener, Runnable waits) {
        JobProgress progress = new JobProgress(listener, () -> false);
        try {
            Llama.init(line -> {});
            LayerStore store = LayerStore.open(data.store());
            try (ProcessLock alone = CacheLock.take(data, progress, waits)) {
                return run(store, target, progress);
            }
        } catch (RuntimeException | IOException e) {
            throw RequantizationException.of(e);
        }
    }

    private Result run(LayerStore store, Target target, JobProgress progress) throws IOException {
        if (target instanceof Target.OfStore stored) {
            try (StoreLease lease = store.lease(stored.manifestId())) {
                Manifest manifest = store.manifest(stored.manifestId()).orElseThrow();
                StoredModel files = store.files(manifest);
                return run(store, files.splits(), files.mmproj().or(() -> mmproj), progress);
            }
        }
        return run(store, ((Target.OfFiles) target).files(), mmproj, progress);
    }

    private Result run(LayerStore store, List<Path> model, Optional<Path> projector, JobProgress progress)
            throws IOException {
        ModelFiles files = ModelFiles.of(model);
        Dataset dataset = Dataset.read(set);
        Cache cache = new Cache(data.cache(), Llama.arithmetic());
        Optional<ModelFiles> baseMmproj =
                mmproj.isEmpty() ? Optional.empty() : Optional.of(ModelFiles.of(List.of(mmproj.get())));
        String identity = JobInputs.identity(
                JobInputs.fingerprint(ModelFiles.of(base), store, progress), baseMmproj, chatTemplate, store, progress);
        Evaluation evaluation =
                new Evaluation(dataset, PlanEvaluator.outputs(cache, identity, dataset.digest(), imageTokens));
        Threads lanes = Threads.of(threads, files.parameters());
        // The models may have projectors of their own.
        try (FeedCache baseInputs = new FeedCache(0);
                FeedCache inputs = new FeedCache(0)) {
            Quality baseQuality;
            try (FeederPool feeders = open(base, mmproj, KvType.F16, lanes, baseInputs)) {
                if (!evaluation.hasBase()) {
                    evaluation.recordBase(feeders.lanes(), progress.part(0, 0.3));
                }
                baseQuality = evaluation.run(feeders.lanes(), true, progress.part(0.3, 0.6));
            }
            try (FeederPool feeders = open(model, projector, kv, lanes, inputs)) {
                return new Result(
                        files.tensorBytes(),
                        files.tensorBytes() * 8.0 / files.parameters(),
                        evaluation.run(feeders.lanes(), true, progress.part(0.6, 1)),
                        baseQuality);
            }
        }
    }

    private FeederPool open(
            List<Path> model, Optional<Path> projector, KvType kvType, Threads lanes, FeedCache inputs) {
        return FeederPool.open(model, projector, imageTokens, chatTemplate, kvType, lanes, inputs);
    }
}
