package dev.luq.luq.rank;

import dev.luq.llama.VectorProducts;
import dev.luq.luq.calibrate.Activation;
import dev.luq.luq.calibrate.Calibration;
import dev.luq.luq.feed.Modality;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;

/**
 * The paper's measure of a layer (LUQ, arXiv 2509.23729): token vectors that the layer puts out are clustered by K-means,
 * and with the share p_k of cluster k its entropy is H = - sum p_k log2 p_k. Layers of low entropy go low first.
 */
public final class EntropyRanking {

    private final Calibration calibration;
    private final Activation activation;
    private final EntropyOptions options;
    private final DoubleConsumer progress;
    private final int steps;
    private int step;

    private EntropyRanking(Calibration calibration, Activation activation, EntropyOptions options,
            DoubleConsumer progress) {
        this.calibration = calibration;
        this.activation = activation;
        this.options = options;
        this.progress = progress;
        long sweep = options.sweep().stream().filter(clusters -> clusters != options.clusters()).count();
        this.steps = calibration.layers() * (int) (options.seeds().size() + sweep + Modality.values().length);
    }

    /**
     * @param activation which must have been sampled
     * @param progress hears the share done, 0 to 1
     * @throws RankException.TooFewVectors there are fewer vectors than clusters
     * @throws InterruptedException the thread was interrupted
     * @throws IOException the vectors cannot be read
     */
    public static LayerEntropies measure(Calibration calibration, Activation activation, EntropyOptions options,
            DoubleConsumer progress) throws IOException, InterruptedException {
        try {
            return new EntropyRanking(calibration, activation, options, progress).measure();
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw interrupted();
        }
    }

    /** H of a clustering, in bits. */
    static double entropy(int[] sizes) {
        double count = 0;
        for (int size : sizes) {
            count += size;
        }
        double entropy = 0;
        for (int size : sizes) {
            if (size > 0) {
                entropy -= size / count * Math.log(size / count) / Math.log(2);
            }
        }
        return entropy;
    }

    private LayerEntropies measure() throws IOException, InterruptedException {
        List<List<Double>> mixed = Stream.generate(() -> (List<Double>) new ArrayList<Double>())
                .limit(options.seeds().size()).toList();
        SortedMap<Integer, List<Double>> byClusters = new TreeMap<>();
        List<Double> image = new ArrayList<>();
        List<Double> text = new ArrayList<>();
        long first = options.seeds().get(0);
        int points = TokenSample.mixed(calibration, options.points(), first).size();
        for (int layer = 0; layer < calibration.layers(); layer++) {
            for (int i = 0; i < options.seeds().size(); i++) {
                long seed = options.seeds().get(i);
                TokenSample sample = TokenSample.mixed(calibration, options.points(), seed);
                try (VectorProducts vectors = sample.load(activation, layer, options.threads())) {
                    double entropy = entropy(vectors, sample, options.clusters(), seed);
                    mixed.get(i).add(entropy);
                    for (int clusters : i == 0 ? options.sweep() : List.<Integer>of()) {
                        if (clusters <= sample.size()) {
                            byClusters.computeIfAbsent(clusters, k -> new ArrayList<>())
                                    .add(clusters == options.clusters() ? entropy : entropy(vectors, sample, clusters, seed));
                        }
                    }
                }
            }
            addAlone(Modality.IMAGE, layer, first, image);
            addAlone(Modality.TEXT, layer, first, text);
        }
        progress.accept(1); // fewer steps when there are too few vectors for some
        return new LayerEntropies(activation, options.clusters(), points, options.seeds(), mixed, image, text, byClusters,
                Map.of("calibration_set", calibration.set(), "sampled_tokens", calibration.samplesDigest()));
    }

    private void addAlone(Modality modality, int layer, long seed, List<Double> entropies)
            throws IOException, InterruptedException {
        TokenSample sample = TokenSample.of(calibration, modality, options.points(), seed);
        if (sample.size() >= options.clusters()) {
            try (VectorProducts vectors = sample.load(activation, layer, options.threads())) {
                entropies.add(entropy(vectors, sample, options.clusters(), seed));
            }
        }
    }

    private double entropy(VectorProducts vectors, TokenSample sample, int clusters, long seed) throws InterruptedException {
        if (Thread.interrupted()) {
            throw interrupted();
        }
        double entropy = entropy(KMeans.cluster(vectors, sample.size(), calibration.width(), clusters, seed).sizes());
        progress.accept((double) ++step / steps);
        return entropy;
    }

    private static InterruptedException interrupted() {
        return new InterruptedException("the ranking was interrupted");
    }
}
