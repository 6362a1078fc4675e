package dev.luq.requant.rank;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.LayeredModel;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.MatrixGroup;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;

/**
 * What is known of the costs of matrices after whole plans were measured: Bayesian linear regression. The divergence of a
 * plan is taken to be the sum of the costs of its matrices, each times an unknown factor. Before anything is measured
 * these factors are Gaussian about 1, and those of one layer and of one kind of matrices vary together; each plan that is
 * measured is an observation of one sum. (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006,
 * section 2.1.) For one thread.
 */
public final class CostPosterior {

    /** Standard deviations of the parts of a factor: shared by all matrices, by a layer, by a kind, and its own. */
    private static final double OF_ALL = 0.5;

    private static final double OF_LAYER = 0.3;
    private static final double OF_KIND = 0.2;
    private static final double OF_ONE = 0.2;
    /**
     * Standard deviation of a measured divergence about the sum, as a share of it: divergences do not quite add up, and a few
     * dozen examples measure them to a tenth or so. Less, and the noise of single layers moves matrices that all plans share.
     */
    private static final double MISFIT = 0.15;
    /** No matrix is taken to be worth less than this share of its estimate. */
    private static final double LEAST_FACTOR = 0.05;
    /** Added to variances where rounding could make them negative. */
    private static final double JITTER = 1e-9;

    private final MatrixCosts prior;
    private final List<String> matrices;
    private final double[] mean;
    private final double[][] covariance;

    /** @param prior the costs before any plan was measured */
    public CostPosterior(MatrixCosts prior) {
        this.prior = prior;
        this.matrices = List.copyOf(prior.kld().keySet());
        int count = matrices.size();
        this.mean = new double[count];
        this.covariance = new double[count][count];
        List<Place> places = matrices.stream().map(Place::of).toList();
        for (int i = 0; i < count; i++) {
            mean[i] = 1;
            for (int j = 0; j < count; j++) {
                covariance[i][j] = places.get(i).covariance(places.get(j)) + (i == j ? OF_ONE * OF_ONE : 0);
            }
        }
    }

    /** Where in the model a matrix is. */
    private record Place(Optional<Integer> layer, String kind) {

        static Place of(String matrix) {
            return new Place(LayeredModel.layerOf(matrix), MatrixGroup.kind(matrix));
        }

        /** Of the factors of two matrices. */
        double covariance(Place other) {
            return OF_ALL * OF_ALL
                    + (layer.isPresent() && layer.equals(other.layer) ? OF_LAYER * OF_LAYER : 0)
                    + (kind.equals(other.kind) ? OF_KIND * OF_KIND : 0);
        }
    }

    /**
     * Learns from a plan that was measured.
     *
     * @param types of all matrices
     * @param kld its mean KL divergence from the base, in nats
     * @return whether the costs know all of these types; otherwise nothing is learnt
     */
    public boolean observe(Map<String, GgmlType> types, double kld) {
        int count = matrices.size();
        double[] costs = new double[count];
        double rest = kld;
        for (int i = 0; i < count; i++) {
            Double cost = prior.kld().get(matrices.get(i)).get(types.get(matrices.get(i)));
            if (cost == null) {
                return false;
            }
            costs[i] = cost;
            rest -= cost * mean[i];
        }
        double[] shared = new double[count];
        double variance = MISFIT * MISFIT * kld * kld + Double.MIN_NORMAL;
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                shared[i] += covariance[i][j] * costs[j];
            }
            variance += costs[i] * shared[i];
        }
        for (int i = 0; i < count; i++) {
            mean[i] += shared[i] / variance * rest;
            for (int j = 0; j < count; j++) {
                covariance[i][j] -= shared[i] * shared[j] / variance;
            }
        }
        return true;
    }

    /** The costs that are expected. */
    public MatrixCosts expected() {
        return costs(i -> mean[i]);
    }

    /** Costs as they may be: a draw from the distribution. */
    public MatrixCosts draw(RandomGenerator random) {
        int count = matrices.size();
        double[][] root = cholesky();
        double[] normal = new double[count];
        for (int i = 0; i < count; i++) {
            normal[i] = random.nextGaussian();
        }
        return costs(i -> {
            double factor = mean[i];
            for (int j = 0; j <= i; j++) {
                factor += root[i][j] * normal[j];
            }
            return factor;
        });
    }

    private MatrixCosts costs(IntToDoubleFunction factors) {
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        for (int i = 0; i < matrices.size(); i++) {
            double factor = Math.max(LEAST_FACTOR, factors.applyAsDouble(i));
            SortedMap<GgmlType, Double> ofMatrix = new TreeMap<>();
            prior.kld().get(matrices.get(i)).forEach((type, cost) -> ofMatrix.put(type, factor * cost));
            costs.put(matrices.get(i), ofMatrix);
        }
        return new MatrixCosts(costs);
    }

    /** The lower triangle L with covariance = L times its transpose. */
    private double[][] cholesky() {
        int count = matrices.size();
        double[][] root = new double[count][count];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = covariance[i][j];
                for (int k = 0; k < j; k++) {
                    sum -= root[i][k] * root[j][k];
                }
                root[i][j] = i == j ? Math.sqrt(Math.max(JITTER, sum)) : sum / root[j][j];
            }
        }
        return root;
    }
}
