package dev.luq.requant.calibrate;

import dev.luq.requant.feed.Modality;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Per matrix and modality, the sums over all tokens of each input column's square. */
final class InputSquares {

    /**
     * Of the median energy of a batch, what a token has at most in the bounded sums. The first token of a text, and a few
     * others, has activations thousands of times larger than all others in the middle layers of most models (arXiv
     * 2402.17762).
     */
    private static final double MOST = 4;

    /**
     * One matrix's sums for one modality, an element for each column.
     *
     * @param plain squares as they are
     * @param bounded squares of each token scaled down where their sum is more than four times the median over the tokens
     *     of its batch: no token counts much more than another one
     */
    record Sums(double[] plain, double[] bounded) {

        Sums(int columns) {
            this(new double[columns], new double[columns]);
        }

        private void add(Sums other) {
            for (int i = 0; i < plain.length; i++) {
                plain[i] += other.plain[i];
                bounded[i] += other.bounded[i];
            }
        }

        private void add(float[] row, double share) {
            for (int i = 0; i < plain.length; i++) {
                double square = (double) row[i] * row[i];
                plain[i] += square;
                bounded[i] += share * square;
            }
        }

        private Sums copy() {
            return new Sums(plain.clone(), bounded.clone());
        }
    }

    private final SortedMap<String, Map<Modality, Sums>> sums = new TreeMap<>();
    private float[] row = new float[0];

    /**
     * @param weight name of the matrix
     * @param inputs the batch, rows of {@code columns} floats; consumed
     * @return whether all of them are finite, and those of this matrix and modality before
     */
    boolean add(String weight, Modality modality, FloatBuffer inputs, int columns) {
        Sums sum = of(weight, modality, columns);
        if (row.length != columns) {
            row = new float[columns];
        }
        double[] energies = energies(inputs.duplicate(), columns);
        double most = MOST * median(energies);
        for (double energy : energies) {
            inputs.get(row);
            sum.add(row, energy > most ? most / energy : 1);
        }
        // A square is never negative: what is not finite stays in its column's sum.
        return Double.isFinite(Arrays.stream(sum.plain()).sum());
    }

    private double[] energies(FloatBuffer inputs, int columns) {
        double[] energies = new double[inputs.remaining() / columns];
        for (int token = 0; token < energies.length; token++) {
            inputs.get(row);
            for (float value : row) {
                energies[token] += (double) value * value;
            }
        }
        return energies;
    }

    /** The upper one of two in the middle; of none, 0. */
    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }

    /** Adds what another one summed. */
    void add(InputSquares other) {
        other.sums.forEach((weight, byModality) -> byModality.forEach((modality, values) ->
                of(weight, modality, values.plain().length).add(values)));
    }

    /** Sums of one matrix for another with the same inputs. */
    void copy(String to, String from) {
        Map<Modality, Sums> original = sums.get(from);
        if (original != null) {
            original.forEach((modality, values) -> put(to, modality, values.copy()));
        }
    }

    /** Takes over sums that were read. */
    void put(String weight, Modality modality, Sums values) {
        sums.computeIfAbsent(weight, name -> new EnumMap<>(Modality.class)).put(modality, values);
    }

    private Sums of(String weight, Modality modality, int columns) {
        return sums.computeIfAbsent(weight, name -> new EnumMap<>(Modality.class))
                .computeIfAbsent(modality, m -> new Sums(columns));
    }

    /** Not copied. */
    SortedMap<String, Map<Modality, Sums>> sums() {
        return sums;
    }
}
