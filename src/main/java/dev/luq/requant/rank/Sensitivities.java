package dev.luq.requant.rank;

import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.MatrixGroup;
import java.util.Comparator;
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
     * A probe: one group of matrices at a low type, all others nearly exact.
     *
     * @param error sum of the relative errors of its matrices at that type
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

    /** Sum of the relative errors of a group in its probe. */
    public static double error(MatrixGroup group, MatrixErrors errors) {
        return group.matrices().stream()
                .map(matrix -> errors.relative().get(matrix))
                .mapToDouble(ofMatrix -> ofMatrix.get(probe(ofMatrix)))
                .sum();
    }

    /** The relative errors of all matrices times their group's nats per relative error. */
    public MatrixCosts costs(MatrixErrors errors) {
        double all = groups.stream().mapToDouble(Measured::kld).sum()
                / Math.max(
                        Double.MIN_NORMAL,
                        groups.stream().mapToDouble(Measured::error).sum());
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        for (Measured measured : groups) {
            double natsPerError =
                    measured.error() == 0 ? all : Math.max(LEAST_SHARE * all, measured.kld() / measured.error());
            for (String matrix : measured.group().matrices()) {
                SortedMap<GgmlType, Double> ofMatrix = new TreeMap<>();
                errors.relative().get(matrix).forEach((type, error) -> ofMatrix.put(type, natsPerError * error));
                costs.put(matrix, ofMatrix);
            }
        }
        return new MatrixCosts(costs);
    }
}
