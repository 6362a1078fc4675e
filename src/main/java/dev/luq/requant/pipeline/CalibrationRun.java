package dev.luq.requant.pipeline;

import dev.luq.requant.calibrate.Calibration;
import java.util.List;

/**
 * A calibration pass and the importance matrix made from it.
 *
 * @param key of the pass
 * @param calibration its vectors and sums
 * @param matrix for the alpha
 * @param seed of the sampling
 * @param alpha weight of image tokens in the matrix, 0 to 1
 */
record CalibrationRun(String key, Calibration calibration, KeyedImatrix matrix, long seed, double alpha) {

    /** With the importance matrix for an alpha. */
    static CalibrationRun of(String key, Calibration calibration, long seed, double alpha) {
        String matrixKey = Cache.key(List.of(key, String.valueOf(alpha)));
        KeyedImatrix matrix =
                new KeyedImatrix(matrixKey, calibration.importance(alpha), calibration.boundedImportance(alpha));
        return new CalibrationRun(key, calibration, matrix, seed, alpha);
    }

    /** The same pass with the matrix for another alpha. */
    CalibrationRun withAlpha(double other) {
        return of(key, calibration, seed, other);
    }
}
