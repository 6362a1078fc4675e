package dev.luq.requant.rank;

import dev.luq.llama.VectorProducts;
import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.calibrate.Calibration;
import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Which of a calibration's sampled vectors are clustered, the same ones in every layer. */
final class TokenSample {

    private final Calibration calibration;
    private final Map<Modality, int[]> slots = new EnumMap<>(Modality.class);

    private TokenSample(Calibration calibration) {
        this.calibration = calibration;
    }

    /** Vectors of one modality. */
    static TokenSample of(Calibration calibration, Modality modality, int points, long seed) {
        TokenSample sample = new TokenSample(calibration);
        sample.take(modality, Math.min(points, calibration.samples(modality)), seed);
        return sample;
    }

    /** Vectors of both, in the proportion in which the model read them: as if all tokens had been pooled. */
    static TokenSample mixed(Calibration calibration, int points, long seed) {
        double all = 0;
        for (Modality modality : Modality.values()) {
            all += calibration.tokens(modality);
        }
        double most = points;
        for (Modality modality : Modality.values()) {
            double share = calibration.tokens(modality) / all;
            most = share > 0 ? Math.min(most, calibration.samples(modality) / share) : most;
        }
        TokenSample sample = new TokenSample(calibration);
        for (Modality modality : Modality.values()) {
            int count = (int) Math.round(most * calibration.tokens(modality) / all);
            sample.take(modality, Math.min(count, calibration.samples(modality)), seed);
        }
        return sample;
    }

    private void take(Modality modality, int count, long seed) {
        List<Integer> order = Arrays.asList(
                IntStream.range(0, calibration.samples(modality)).boxed().toArray(Integer[]::new));
        Collections.shuffle(order, new Random(seed));
        slots.put(
                modality,
                order.stream().limit(count).mapToInt(slot -> slot).sorted().toArray());
    }

    int size() {
        return slots.values().stream().mapToInt(taken -> taken.length).sum();
    }

    /** The vectors of a layer, centred. The caller closes them. */
    VectorProducts load(Activation activation, int layer, int threads) throws IOException {
        int width = calibration.width();
        int count = size();
        VectorProducts points = new VectorProducts(count, width, threads);
        FloatBuffer out = points.vectors();
        float[] row = new float[width];
        double[] mean = new double[width];
        for (Map.Entry<Modality, int[]> taken : slots.entrySet()) {
            FloatBuffer vectors = calibration.vectors(activation, taken.getKey(), layer);
            for (int slot : taken.getValue()) {
                vectors.get(slot * width, row);
                out.put(row);
                for (int i = 0; i < width; i++) {
                    mean[i] += (double) row[i] / count;
                }
            }
        }
        for (int point = 0; point < count; point++) {
            out.get(point * width, row);
            for (int i = 0; i < width; i++) {
                row[i] -= (float) mean[i];
            }
            out.put(point * width, row);
        }
        return points;
    }
}
