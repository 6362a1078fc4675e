package dev.luq.requant.pipeline;

import dev.luq.requant.calibrate.Calibration;

/**
 * A calibration pass and the importance matrix made from it.
 *
 * @param key of the pass
 * @param calibration its vectors and sums
 * @param matrix for one alpha
 * @param seed of what was sampled
 * @param alpha of the matrix
 */
record CalibrationRun(String key, Calibration calibration, KeyedImatrix matrix, long seed, double alpha) {
}
