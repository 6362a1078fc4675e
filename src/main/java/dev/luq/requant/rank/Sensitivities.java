package dev.luq.requant.rank;

import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.MatrixGroup;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an error in each matrix does to the model's answers. Small independent errors change the next-token distributions
 * by divergences that are proportional to the squares of the errors and add up; so one measured point for each group of
 * matrices gives the cost of each of its matrices at every type.
 *
 * @param groups in the model's order
 */
public record Sensitivities(List<Measured> groups) {

    /** Of the mean nats per relative error, what every group is taken to have at least: a probe of few examples may miss. */
    private static final double LEAST_SHARE = 0.1;

    /**
     * Of the median error of its group, what a matrix has at most that massive activations pass: almost all of its output
     * hangs on a few columns. It is one of the first or last {@code ffn_down} in most models, where they begin and end.
     */
    private static final double CONCENTRATED = 0.5;

    /**
     * Times the median error, what such a matrix is counted with: a bit more for each weight than its neighbours. Its own
     * error says nothing of the other columns, and where a type breaks a massive activation or makes a new one, a token is
     * lost wholly, too seldom for a probe to meet it (arXiv 2411.07191 removes a single such weight).
     */
    private static final double CONCENTRATED_FACTOR = 4;

    /**
     * A probe: one group of matrices at a low type, all others nearly exact.
     *
     * @param error sum of the relative errors of its matrices at that type, as they are counted
     * @param kld mean KL divergence from the base that the group adds, in nats; not below 0
     */
    public record Measured(MatrixGroup group, double error, double kld) {}

    public Sensitivities {
        groups = List.copyOf(groups);
    }

    /** The type that a matrix has in the probe of its group. */
    public static GgmlType probe(Map<GgmlType, Double> errors) {
        for (GgmlType type : List.of(GgmlType.IQ3_XXS, GgmlType.Q3_K, GgmlType.IQ4_NL)) {
            if (errors.containsKey(type)) {
                return type;
            }
        }
        return errors.keySet().stream()
                .min(Comparator.comparingDouble(GgmlType::bitsPerWeight))
                .orElseThrow();
    }

    /** The type that it has in all other probes: the most exact one. */
    public static GgmlType exact(Map<GgmlType, Double> errors) {
        return errors.keySet().stream()
                .min(Comparator.comparingDouble(errors::get))
                .orElseThrow();
    }

    /** Sum of the errors of a group in its probe, as they are counted. */
    public static double error(MatrixGroup group, MatrixErrors errors) {
        return counted(group, errors).values().stream()
                .mapToDouble(ofMatrix -> ofMatrix.get(probe(ofMatrix)))
                .sum();
    }

    /** The errors of all matrices, as they are counted, times their group's nats per error. */
    public MatrixCosts costs(MatrixErrors errors) {
        double all = groups.stream().mapToDouble(Measured::kld).sum()
                / Math.max(
                        Double.MIN_NORMAL,
                        groups.stream().mapToDouble(Measured::error).sum());
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        for (Measured measured : groups) {
            double natsPerError =
                    measured.error() == 0 ? all : Math.max(LEAST_SHARE * all, measured.kld() / measured.error());
            counted(measured.group(), errors).forEach((matrix, ofMatrix) -> {
                ofMatrix.replaceAll((type, error) -> natsPerError * error);
                costs.put(matrix, ofMatrix);
            });
        }
        return new MatrixCosts(costs);
    }

    /**
     * The relative errors of a group's matrices by type, none less than the median of the group; those of a matrix with much
     * less, several times the median.
     */
    private static SortedMap<String, SortedMap<GgmlType, Double>> counted(MatrixGroup group, MatrixErrors errors) {
        Map<GgmlType, Double> medians = medians(group, errors);
        SortedMap<String, SortedMap<GgmlType, Double>> counted = new TreeMap<>();
        for (String matrix : group.matrices()) {
            SortedMap<GgmlType, Double> ofMatrix =
                    new TreeMap<>(errors.relative().get(matrix));
            GgmlType probe = probe(ofMatrix);
            double factor = ofMatrix.get(probe) < CONCENTRATED * medians.get(probe) ? CONCENTRATED_FACTOR : 1;
            ofMatrix.replaceAll((type, error) -> Math.max(error, factor * medians.get(type)));
            counted.put(matrix, ofMatrix);
        }
        return counted;
    }

    private static Map<GgmlType, Double> medians(MatrixGroup group, MatrixErrors errors) {
        Map<GgmlType, List<Double>> byType = new EnumMap<>(GgmlType.class);
        group.matrices()
                .forEach(matrix -> errors.relative().get(matrix).forEach((type, error) -> byType.computeIfAbsent(
                                type, t -> new ArrayList<>())
                        .add(error)));
        Map<GgmlType, Double> medians = new EnumMap<>(GgmlType.class);
        byType.forEach((type, ofType) -> medians.put(type, median(ofType)));
        return medians;
    }

    /** The lower one of two in the middle. */
    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get((values.size() - 1) / 2);
    }
}
