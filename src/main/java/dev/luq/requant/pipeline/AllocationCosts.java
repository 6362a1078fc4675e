package dev.luq.requant.pipeline;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.LayeredModel;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.MatrixGroup;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.rank.CostPosterior;
import dev.luq.requant.rank.MatrixErrors;
import dev.luq.requant.rank.Sensitivities;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** What an allocation of types to matrices is decided by, measured when it is first asked for. */
final class AllocationCosts {

    /** Of the work, what the errors of single matrices take. */
    private static final double ERRORS_SHARE = 0.2;

    /** Where the costs of matrices add up: what single layers are measured at to learn from. */
    static final List<Precision> LEARNT_FROM = List.of(Precision.IQ3_S, Precision.IQ2_S);

    private final JobInputs inputs;
    private final Cache cache;
    private final PlanEvaluator evaluator;
    private final KeyedImatrix matrix;
    private final Planner planner;
    private final Threads threads;
    private Sensitivities sensitivities;
    /** Before layers were measured. */
    private MatrixCosts estimated;

    private MatrixCosts costs;

    AllocationCosts(
            JobInputs inputs,
            Cache cache,
            PlanEvaluator evaluator,
            KeyedImatrix matrix,
            Planner planner,
            Threads threads) {
        this.inputs = inputs;
        this.cache = cache;
        this.evaluator = evaluator;
        this.matrix = matrix;
        this.planner = planner;
        this.threads = threads;
    }

    MatrixCosts measure(JobProgress progress) {
        if (costs == null) {
            MatrixErrors errors = WeightErrors.measure(inputs, cache, matrix, threads, progress.part(0, ERRORS_SHARE));
            sensitivities = sensitivities(errors, progress.part(ERRORS_SHARE, 1));
            estimated = sensitivities.costs(errors);
            costs = estimated;
        }
        return costs;
    }

    /**
     * Learns from measurements of single layers what a group of layers does not show: which of them bear less.
     *
     * @param layers costs that were measured at {@link #LEARNT_FROM} and the high precision
     * @param high precision of all other layers in them
     */
    void refine(LayerCosts layers, Precision high) {
        CostPosterior posterior = new CostPosterior(estimated);
        int count = layers.kld().size();
        Plan all = Plan.uniform(count, high, high, Precision.F16);
        posterior.observe(planner.types(all), layers.kld().get(0).get(high));
        for (int layer = 0; layer < count; layer++) {
            for (Precision precision : LEARNT_FROM) {
                posterior.observe(
                        planner.types(all.with(layer, precision)),
                        layers.kld().get(layer).get(precision));
            }
        }
        costs = posterior.expected();
    }

    /** @throws IllegalStateException unless they were measured before */
    MatrixCosts costs() {
        if (costs == null) {
            throw new IllegalStateException("the costs of matrices are not measured yet");
        }
        return costs;
    }

    /** The costs, if they were measured. */
    Optional<MatrixCosts> measuredCosts() {
        return Optional.ofNullable(costs);
    }

    /** Those that were measured. */
    Optional<Sensitivities> measured() {
        return Optional.ofNullable(sensitivities);
    }

    private Sensitivities sensitivities(MatrixErrors errors, JobProgress progress) {
        List<MatrixGroup> groups = MatrixGroup.of(LayeredModel.of(inputs.model()));
        double exact = kld(types(errors, Sensitivities::exact), progress.part(0, groups.size() + 1));
        List<Sensitivities.Measured> measured = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            MatrixGroup group = groups.get(i);
            SortedMap<String, GgmlType> probe = types(errors, Sensitivities::exact);
            group.matrices()
                    .forEach(name -> probe.put(
                            name, Sensitivities.probe(errors.relative().get(name))));
            double kld = kld(probe, progress.part(i + 1, groups.size() + 1));
            measured.add(
                    new Sensitivities.Measured(group, Sensitivities.error(group, errors), Math.max(0, kld - exact)));
        }
        return new Sensitivities(measured);
    }

    private static SortedMap<String, GgmlType> types(
            MatrixErrors errors, Function<SortedMap<GgmlType, Double>, GgmlType> choice) {
        SortedMap<String, GgmlType> types = new TreeMap<>();
        errors.relative().forEach((name, ofMatrix) -> types.put(name, choice.apply(ofMatrix)));
        return types;
    }

    private double kld(SortedMap<String, GgmlType> types, JobProgress progress) {
        return evaluator.tuningKld(planner.byMatrix(types, Precision.F16), matrix, progress);
    }
}
