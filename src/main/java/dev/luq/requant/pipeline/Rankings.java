package dev.luq.requant.pipeline;

import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Quantizer;
import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import dev.luq.requant.rank.EntropyOptions;
import dev.luq.requant.rank.EntropyRanking;
import dev.luq.requant.rank.ErrorRanking;
import dev.luq.requant.rank.KldRanking;
import dev.luq.requant.rank.LadderCosts;
import dev.luq.requant.rank.LayerEntropies;
import dev.luq.requant.rank.MatrixErrors;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Rankings of the base model's layers from one calibration. Each is computed when it is first asked for. */
final class Rankings {

    private static final String VERSION = "1";
    /** Of the work on the costs of layers, what the errors of single matrices take. */
    private static final double ERRORS_SHARE = 0.2;

    private final JobInputs inputs;
    private final Cache cache;
    private final PlanEvaluator evaluator;
    private final CalibrationRun calibrated;
    private final Levels levels;
    private final EntropyOptions options;
    private final Threads threads;
    private final int layers;
    private final Map<RankingMethod, Ranking> computed = new TreeMap<>();
    private LayerEntropies outputEntropies;
    private LayerCosts costs;

    private Rankings(
            JobInputs inputs,
            Cache cache,
            PlanEvaluator evaluator,
            CalibrationRun calibrated,
            Levels levels,
            EntropyOptions options,
            Threads threads) {
        this.threads = threads;
        this.inputs = inputs;
        this.cache = cache;
        this.evaluator = evaluator;
        this.calibrated = calibrated;
        this.levels = levels;
        this.options = options;
        this.layers = LayeredModel.of(inputs.model()).layers().size();
    }

    /** The job's own: entropies with several seeds and numbers of clusters, from the calibration's seed on. */
    static Rankings main(
            JobInputs inputs,
            Cache cache,
            PlanEvaluator evaluator,
            CalibrationRun calibrated,
            Levels levels,
            Threads threads) {
        EntropyOptions defaults = EntropyOptions.DEFAULT;
        List<Long> seeds = defaults.seeds().stream()
                .map(seed -> seed - 1 + calibrated.seed())
                .toList();
        return new Rankings(
                inputs,
                cache,
                evaluator,
                calibrated,
                levels,
                new EntropyOptions(defaults.clusters(), defaults.sweep(), seeds, defaults.points(), threads.slices()),
                threads);
    }

    /** The same from another calibration, with its seed alone. */
    Rankings of(CalibrationRun other) {
        return new Rankings(
                inputs,
                cache,
                evaluator,
                other,
                levels,
                new EntropyOptions(
                        options.clusters(), List.of(), List.of(other.seed()), options.points(), options.threads()),
                threads);
    }

    int layers() {
        return layers;
    }

    /** @param method not an ablation */
    Ranking of(RankingMethod method, JobProgress progress) {
        Ranking known = computed.get(method);
        if (known == null) {
            known = switch (method) {
                case ENTROPY -> entropies(Activation.OUTPUT, progress).ranking();
                case ENTROPY_NORMED_INPUT ->
                    entropies(Activation.NORMED_INPUT, progress).ranking();
                case ERROR -> error(progress);
                case KLD -> KldRanking.rank(costs(progress), levels.low());
                case DEPTH, RANDOM -> throw new IllegalArgumentException(method + " is no ranking by measurement");
            };
            computed.put(method, known);
        }
        return known;
    }

    private LayerEntropies entropies(Activation activation, JobProgress progress) {
        LayerEntropies entropies = cache.value(
                "rankings",
                List.of(
                        "entropies",
                        VERSION,
                        calibrated.key(),
                        activation.name(),
                        options.clusters() + " " + options.sweep() + " " + options.seeds() + " " + options.points()),
                LayerEntropies.class,
                () -> Cancellable.run(
                        progress::cancelled,
                        () -> EntropyRanking.measure(calibrated.calibration(), activation, options, progress::report)));
        if (activation == Activation.OUTPUT) {
            outputEntropies = entropies;
        }
        return entropies;
    }

    private Ranking error(JobProgress progress) {
        return cache.value(
                "rankings",
                List.of(
                        "error",
                        VERSION,
                        inputs.identity(),
                        calibrated.matrix().key(),
                        levels.low() + " " + levels.high(),
                        Quantizer.method()),
                Ranking.class,
                () -> Cancellable.run(progress::cancelled, () -> {
                    ModelFiles low = ModelFiles.of(evaluator
                            .assemble(
                                    Plan.uniform(layers, levels.low(), levels.high(), Precision.F16),
                                    calibrated.matrix(),
                                    progress.part(0, 0.5))
                            .splits());
                    return ErrorRanking.rank(
                            inputs.model(),
                            low,
                            levels.high(),
                            calibrated.matrix().bounded(),
                            threads.slices(),
                            progress.part(0.5, 1)::report);
                }));
    }

    /** @throws IllegalStateException unless it was computed before */
    Ranking of(RankingMethod method) {
        Ranking known = computed.get(method);
        if (known == null) {
            throw new IllegalStateException("the ranking " + method + " is not computed yet");
        }
        return known;
    }

    /** Costs of each layer at each precision of a ladder, by measurements on the tuning examples. */
    LayerCosts costs(JobProgress progress) {
        if (costs == null) {
            Set<Precision> precisions = precisions();
            Set<Precision> few = new TreeSet<>(LadderCosts.MEASURED);
            few.addAll(List.of(levels.low(), levels.high()));
            LayeredModel model = LayeredModel.of(inputs.model());
            MatrixErrors errors =
                    WeightErrors.measure(inputs, cache, calibrated.matrix(), threads, progress.part(0, ERRORS_SHARE));
            boolean known = LadderCosts.areKnown(model, errors, precisions);
            LayerCosts measured = measured(known ? few : precisions, progress.part(ERRORS_SHARE, 1));
            costs = known ? LadderCosts.complete(model, errors, measured, levels.high(), precisions) : measured;
        }
        return costs;
    }

    /** Those that a plan of whole layers has. */
    Set<Precision> precisions() {
        Set<Precision> precisions = new TreeSet<>(Precision.LADDER);
        precisions.addAll(List.of(levels.low(), levels.high()));
        return precisions;
    }

    /** The costs of layers that are measured, without those estimated from them. */
    LayerCosts measured(Collection<Precision> precisions, JobProgress progress) {
        return evaluator.costs(
                List.copyOf(precisions),
                Plan.uniform(layers, levels.high(), levels.high(), Precision.F16),
                calibrated.matrix(),
                progress);
    }

    /** @throws IllegalStateException unless they were measured before */
    LayerCosts costs() {
        if (costs == null) {
            throw new IllegalStateException("the costs are not measured yet");
        }
        return costs;
    }

    /** Those asked for so far. */
    List<Ranking> computed() {
        return List.copyOf(computed.values());
    }

    Optional<LayerCosts> computedCosts() {
        return Optional.ofNullable(costs);
    }

    /** Of the layers' outputs, as the report has them; empty unless the ranking by them was asked for. */
    Optional<Report.Entropies> reported() {
        return Optional.ofNullable(outputEntropies).map(e -> {
            SortedMap<Integer, Double> byClusters = new TreeMap<>();
            e.tausByClusters().forEach((clusters, tau) -> byClusters.put(clusters, distance(tau)));
            return new Report.Entropies(
                    e.clusters(),
                    e.mean(),
                    e.image(),
                    e.text(),
                    byClusters,
                    e.tausBetweenSeeds().stream().map(Rankings::distance).toList());
        });
    }

    /** The share of pairs in opposite order. */
    private static double distance(double tau) {
        return (1 - tau) / 2;
    }
}
