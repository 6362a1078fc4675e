package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.llama.Llama;
import dev.luq.llama.VectorProducts;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@Integration
class KMeansTest {

    private static final int WIDTH = 24;

    @BeforeAll
    static void loadLibraries() {
        Llama.init(line -> {});
    }

    private static KMeans.Clustering cluster(float[] points, int clusters, long seed, int threads) {
        int count = points.length / WIDTH;
        try (VectorProducts vectors = new VectorProducts(count, WIDTH, threads)) {
            vectors.vectors().put(points);
            return KMeans.cluster(vectors, count, WIDTH, clusters, seed);
        }
    }

    /** Clouds far apart, of the given sizes. */
    private static float[] clouds(int... sizes) {
        Random random = new Random(1);
        float[] points = new float[Arrays.stream(sizes).sum() * WIDTH];
        int at = 0;
        for (int cloud = 0; cloud < sizes.length; cloud++) {
            for (int i = 0; i < sizes[cloud]; i++) {
                for (int j = 0; j < WIDTH; j++) {
                    points[at++] = (j == cloud ? 2000 : 0) + (float) random.nextGaussian();
                }
            }
        }
        return points;
    }

    private static float[] noise(int count) {
        Random random = new Random(2);
        float[] points = new float[count * WIDTH];
        for (int i = 0; i < points.length; i++) {
            points[i] = (float) random.nextGaussian();
        }
        return points;
    }

    @Test
    void cloudsBecomeClustersWhateverTheSeed() {
        float[] points = clouds(5, 40, 300, 7, 90);
        for (long seed = 0; seed < 20; seed++) {
            int[] sizes = cluster(points, 5, seed, 1).sizes();
            Arrays.sort(sizes);
            assertArrayEquals(new int[] {5, 7, 40, 90, 300}, sizes);
        }
    }

    /** What Lloyd's iteration ends with: each vector is nearest to the mean of its own cluster. */
    @Test
    void noVectorIsNearerToTheMeanOfAnotherCluster() {
        float[] points = noise(600);
        int clusters = 20;
        KMeans.Clustering found = cluster(points, clusters, 3, 2);
        assertTrue(found.iterations() < 100);
        double[] means = new double[clusters * WIDTH];
        for (int i = 0; i < points.length; i++) {
            int cluster = found.assignment()[i / WIDTH];
            means[cluster * WIDTH + i % WIDTH] += points[i] / (double) found.sizes()[cluster];
        }
        for (int i = 0; i < 600; i++) {
            double own = distance(points, i, means, found.assignment()[i]);
            for (int c = 0; c < clusters; c++) {
                assertTrue(own <= distance(points, i, means, c) + 1e-4);
            }
        }
        assertEquals(600, Arrays.stream(found.sizes()).sum());
    }

    private static double distance(float[] points, int point, double[] means, int mean) {
        double distance = 0;
        for (int j = 0; j < WIDTH; j++) {
            double difference = points[point * WIDTH + j] - means[mean * WIDTH + j];
            distance += difference * difference;
        }
        return distance;
    }

    @Test
    void theSeedDecidesAndThreadsDoNot() {
        float[] points = noise(600);
        int[] expected = cluster(points, 30, 5, 1).assignment();
        for (int threads = 1; threads <= 4; threads++) {
            assertArrayEquals(expected, cluster(points, 30, 5, threads).assignment());
        }
        assertFalse(Arrays.equals(expected, cluster(points, 30, 6, 1).assignment()));
    }

    @Test
    void equalVectorsShareACluster() {
        float[] points = new float[50 * WIDTH];
        Arrays.fill(points, 20 * WIDTH, 50 * WIDTH, 1);
        int[] sizes = cluster(points, 10, 1, 1).sizes();
        Arrays.sort(sizes);
        assertArrayEquals(new int[] {0, 0, 0, 0, 0, 0, 0, 0, 20, 30}, sizes);
    }

    @Test
    void fewerVectorsThanClustersAreRefused() {
        assertThrows(RankException.TooFewVectors.class, () -> cluster(noise(9), 10, 1, 1));
    }
}
