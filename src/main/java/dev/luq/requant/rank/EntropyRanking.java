package dev.luq.requant.rank;

import dev.luq.llama.VectorProducts;
import dev.luq.machine.Processors;
import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.calibrate.Calibration;
import dev.luq.requant.feed.Modality;
import dev.luq.requant.lanes.Lanes;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/**
 * The paper's measure of a layer (LUQ, arXiv 2509.23729): token vectors that the layer puts out are clustered by K-means,
 * and with the share p_k of cluster k its entropy is H = - sum p_k log2 p_k. Layers of low entropy go low first.
 */
public final class EntropyRanking {

    /** Of the vectors that are clustered side by side. */
    private static final long LANES_BYTES = 512L << 20;

    private final Calibration calibration;
    private final Activation activation;
    private final EntropyOptions options;
    private final DoubleConsumer progress;
    private final int steps;
    private final AtomicInteger step = new AtomicInteger();

    private EntropyRanking(
            Calibration calibration, Activation activation, EntropyOptions options, DoubleConsumer progress) {
        this.calibration = calibration;
        this.activation = activation;
        this.options = options;
        this.progress = progress;
        long sweep = options.sweep().stream()
                .filter(clusters -> clusters != options.clusters())
                .count();
        this.steps = calibration.layers() * (int) (options.seeds().size() + sweep + Modality.values().length);
    }

    /**
     * @param activation which must have been sampled
     * @param progress hears the share done, 0 to 1, on the caller's thread
     * @throws RankException.TooFewVectors there are fewer vectors than clusters
     * @throws InterruptedException the thread was interrupted
     * @throws IOException the vectors cannot be read
     */
    public static LayerEntropies measure(
            Calibration calibration, Activation activation, EntropyOptions options, DoubleConsumer progress)
            throws IOException, InterruptedException {
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

    /** What was found in one layer. */
    private static final class OfLayer {
        final List<Double> mixed = new ArrayList<>();
        final SortedMap<Integer, Double> byClusters = new TreeMap<>();
        final Map<Modality, Double> alone = new EnumMap<>(Modality.class);
    }

    /** @param threads of its matrix products */
    private record Lane(boolean first, int threads) {}

    private LayerEntropies measure() throws IOException, InterruptedException {
        OfLayer[] layers = new OfLayer[calibration.layers()];
        Lanes.run(
                lanes(),
                IntStream.range(0, layers.length).iterator(),
                (lane, layer) -> layers[layer] = measure(lane, layer));
        progress.accept(1); // fewer steps when there are too few vectors for some
        List<List<Double>> mixed = new ArrayList<>();
        for (int i = 0; i < options.seeds().size(); i++) {
            int seed = i;
            mixed.add(Arrays.stream(layers).map(layer -> layer.mixed.get(seed)).toList());
        }
        SortedMap<Integer, List<Double>> byClusters = new TreeMap<>();
        layers[0]
                .byClusters
                .keySet()
                .forEach(clusters -> byClusters.put(
                        clusters,
                        Arrays.stream(layers)
                                .map(layer -> layer.byClusters.get(clusters))
                                .toList()));
        return new LayerEntropies(
                activation,
                options.clusters(),
                points(),
                options.seeds(),
                mixed,
                alone(layers, Modality.IMAGE),
                alone(layers, Modality.TEXT),
                byClusters,
                Map.of("calibration_set", calibration.set(), "sampled_tokens", calibration.samplesDigest()));
    }

    /** Layers side by side as far as their vectors do not take too much; the threads that are left share in the products. */
    private List<Lane> lanes() {
        int threads = Processors.threads(options.threads());
        long bytes = (long) points() * calibration.width() * Float.BYTES;
        int lanes =
                (int) Math.max(1, Math.min(Math.min(threads, calibration.layers()), LANES_BYTES / Math.max(1, bytes)));
        return IntStream.range(0, lanes)
                .mapToObj(lane -> new Lane(lane == 0, threads / lanes))
                .toList();
    }

    private int points() {
        return TokenSample.mixed(calibration, options.points(), options.seeds().get(0))
                .size();
    }

    private static List<Double> alone(OfLayer[] layers, Modality modality) {
        return Arrays.stream(layers)
                .map(layer -> layer.alone.get(modality))
                .filter(Objects::nonNull)
                .toList();
    }

    private OfLayer measure(Lane lane, int layer) throws IOException, InterruptedException {
        OfLayer found = new OfLayer();
        for (int i = 0; i < options.seeds().size(); i++) {
            long seed = options.seeds().get(i);
            TokenSample sample = TokenSample.mixed(calibration, options.points(), seed);
            try (VectorProducts vectors = sample.load(activation, layer, lane.threads())) {
                double entropy = entropy(lane, vectors, sample, options.clusters(), seed);
                found.mixed.add(entropy);
                for (int clusters : i == 0 ? options.sweep() : List.<Integer>of()) {
                    if (clusters <= sample.size()) {
                        found.byClusters.put(
                                clusters,
                                clusters == options.clusters()
                                        ? entropy
                                        : entropy(lane, vectors, sample, clusters, seed));
                    }
                }
            }
        }
        for (Modality modality : Modality.values()) {
            TokenSample sample = TokenSample.of(
                    calibration, modality, options.points(), options.seeds().get(0));
            if (sample.size() >= options.clusters()) {
                try (VectorProducts vectors = sample.load(activation, layer, lane.threads())) {
                    found.alone.put(
                            modality,
                            entropy(
                                    lane,
                                    vectors,
                                    sample,
                                    options.clusters(),
                                    options.seeds().get(0)));
                }
            }
        }
        return found;
    }

    private double entropy(Lane lane, VectorProducts vectors, TokenSample sample, int clusters, long seed)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw interrupted();
        }
        double entropy = entropy(KMeans.cluster(vectors, sample.size(), calibration.width(), clusters, seed)
                .sizes());
        int done = step.incrementAndGet();
        if (lane.first()) {
            progress.accept((double) done / steps);
        }
        return entropy;
    }

    private static InterruptedException interrupted() {
        return new InterruptedException("the ranking was interrupted");
    }
}
