package dev.luq.requant.rank;

import java.util.Arrays;

/**
 * By how much the quantized rows of a matrix differ from the original ones: the sum of the squared differences over that of
 * the squared weights, each weighted by the importance of its column. Not thread-safe.
 */
final class RelativeError {

    private double error;
    private double total;

    /** Importances of columns that nobody measured. */
    static float[] ones(int columns) {
        float[] ones = new float[columns];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** Adds a row; all three have an element for each column. */
    void add(float[] importance, float[] original, float[] quantized) {
        for (int i = 0; i < original.length; i++) {
            double difference = (double) original[i] - quantized[i];
            error += importance[i] * difference * difference;
            total += (double) importance[i] * original[i] * original[i];
        }
    }

    /**
     * Of the rows so far; 0 where the original ones are all 0.
     *
     * @param matrix its name
     * @throws RankException.NonFiniteWeights a weight is no finite number
     */
    double of(String matrix) {
        if (!Double.isFinite(error) || !Double.isFinite(total)) {
            throw new RankException.NonFiniteWeights(matrix);
        }
        return total == 0 ? 0 : error / total;
    }
}
