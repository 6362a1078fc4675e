package dev.luq.requant.rank;

import dev.luq.llama.VectorProducts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * K-means on whole vectors: seeds by k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's iteration until hardly a
 * vector changes its cluster. Distances come from one matrix product an iteration, |x|^2 - 2 x c + |c|^2; the vectors should be
 * centred, or large common components cost digits. Results depend on vectors and seed only.
 */
final class KMeans {

    /** Lloyd's iteration has settled when not more than this share of the vectors moves: shares p_k hardly change then. */
    private static final double SETTLED = 0.001;

    private static final int MAX_ITERATIONS = 100;

    private final VectorProducts points;
    private final FloatBuffer vectors;
    private final int count;
    private final int width;
    private final int clusters;
    private final double[] squares;
    private final FloatBuffer centroids;
    private final float[] row;

    /**
     * Vectors by cluster.
     *
     * @param assignment cluster of each vector
     * @param sizes vectors of each cluster; a cluster is empty when there are fewer distinct vectors than clusters
     * @param iterations of Lloyd's
     */
    record Clustering(int[] assignment, int[] sizes, int iterations) {}

    private KMeans(VectorProducts points, int count, int width, int clusters) {
        this.points = points;
        this.vectors = points.vectors();
        this.count = count;
        this.width = width;
        this.clusters = clusters;
        row = new float[width];
        squares = new double[count];
        for (int i = 0; i < count; i++) {
            squares[i] = square(vectors, i);
        }
        centroids = ByteBuffer.allocateDirect(clusters * width * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** @throws RankException.TooFewVectors there are fewer vectors than clusters */
    static Clustering cluster(VectorProducts points, int count, int width, int clusters, long seed) {
        if (count < clusters) {
            throw new RankException.TooFewVectors(count, clusters);
        }
        KMeans means = new KMeans(points, count, width, clusters);
        means.seed(new SplittableRandom(seed));
        return means.iterate();
    }

    /** Every centroid is a vector, drawn with a probability proportional to its squared distance from those before. */
    private void seed(SplittableRandom random) {
        double[] distances = new double[count];
        Arrays.fill(distances, Double.POSITIVE_INFINITY);
        int chosen = random.nextInt(count);
        for (int cluster = 0; cluster < clusters; cluster++) {
            vectors.get(chosen * width, row);
            centroids.put(cluster * width, row);
            FloatBuffer products = points.with(centroids.slice(cluster * width, width), 1);
            double total = 0;
            for (int i = 0; i < count; i++) {
                double distance = Math.max(0, squares[i] - 2.0 * products.get(i) + squares[chosen]);
                distances[i] = i == chosen ? 0 : Math.min(distances[i], distance);
                total += distances[i];
            }
            chosen = draw(distances, random.nextDouble() * total);
        }
    }

    private static int draw(double[] weights, double at) {
        int last = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                last = i;
                if (at < weights[i]) {
                    return i;
                }
            }
            at -= weights[i];
        }
        return last;
    }

    private Clustering iterate() {
        int[] assignment = new int[count];
        Arrays.fill(assignment, -1);
        int iteration = 0;
        while (assign(assignment) > SETTLED * count && iteration < MAX_ITERATIONS) {
            update(assignment);
            iteration++;
        }
        return new Clustering(assignment, sizes(assignment), iteration);
    }

    /**
     * Puts each vector to its nearest centroid, the first of equally near ones.
     *
     * @return how many moved
     */
    private int assign(int[] assignment) {
        double[] centroidSquares = new double[clusters];
        for (int c = 0; c < clusters; c++) {
            centroidSquares[c] = square(centroids, c);
        }
        FloatBuffer products = points.with(centroids, clusters);
        float[] ofPoint = new float[clusters];
        int moved = 0;
        for (int i = 0; i < count; i++) {
            products.get(i * clusters, ofPoint);
            int nearest = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int c = 0; c < clusters; c++) {
                double distance = centroidSquares[c] - 2.0 * ofPoint[c];
                if (distance < least) {
                    least = distance;
                    nearest = c;
                }
            }
            moved += assignment[i] != nearest ? 1 : 0;
            assignment[i] = nearest;
        }
        return moved;
    }

    /** Centroids become the means of their vectors; one without vectors stays. */
    private void update(int[] assignment) {
        int[] sizes = sizes(assignment);
        double[] sums = new double[clusters * width];
        for (int i = 0; i < count; i++) {
            vectors.get(i * width, row);
            int at = assignment[i] * width;
            for (int j = 0; j < width; j++) {
                sums[at + j] += row[j];
            }
        }
        for (int c = 0; c < clusters; c++) {
            for (int j = 0; j < width && sizes[c] > 0; j++) {
                centroids.put(c * width + j, (float) (sums[c * width + j] / sizes[c]));
            }
        }
    }

    private int[] sizes(int[] assignment) {
        int[] sizes = new int[clusters];
        for (int cluster : assignment) {
            sizes[cluster]++;
        }
        return sizes;
    }

    private double square(FloatBuffer vectors, int index) {
        vectors.get(index * width, row);
        double square = 0;
        for (float x : row) {
            square += (double) x * x;
        }
        return square;
    }
}
