package dev.luq.requant.calibrate;

import dev.luq.requant.feed.Modality;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Per matrix and modality, the sum over all tokens of each input column's square. */
final class InputSquares {

    private final SortedMap<String, Map<Modality, double[]>> sums = new TreeMap<>();
    private float[] row = new float[0];

    /**
     * @param weight name of the matrix
     * @param inputs rows of {@code columns} floats; consumed
     * @return whether all of them are finite, and those of this matrix and modality before
     */
    boolean add(String weight, Modality modality, FloatBuffer inputs, int columns) {
        double[] sum = of(weight, modality, columns);
        if (row.length != columns) {
            row = new float[columns];
        }
        while (inputs.hasRemaining()) {
            inputs.get(row);
            for (int i = 0; i < columns; i++) {
                sum[i] += (double) row[i] * row[i];
            }
        }
        // A square is never negative: what is not finite stays in its column's sum.
        return Double.isFinite(Arrays.stream(sum).sum());
    }

    /** Adds what another one summed. */
    void add(InputSquares other) {
        other.sums.forEach((weight, byModality) -> byModality.forEach((modality, values) -> {
            double[] sum = of(weight, modality, values.length);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += values[i];
            }
        }));
    }

    /** Sums of one matrix for another with the same inputs. */
    void copy(String to, String from) {
        Map<Modality, double[]> original = sums.get(from);
        if (original != null) {
            original.forEach((modality, values) -> put(to, modality, values.clone()));
        }
    }

    /** Takes over sums that were read. */
    void put(String weight, Modality modality, double[] values) {
        sums.computeIfAbsent(weight, name -> new EnumMap<>(Modality.class)).put(modality, values);
    }

    private double[] of(String weight, Modality modality, int columns) {
        return sums.computeIfAbsent(weight, name -> new EnumMap<>(Modality.class))
                .computeIfAbsent(modality, m -> new double[columns]);
    }

    /** Not copied. */
    SortedMap<String, Map<Modality, double[]>> sums() {
        return sums;
    }
}
