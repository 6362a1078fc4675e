/**
 * Calibration and evaluation sets of the server: uploaded archives, and folders of this machine.
 *
 * <p>{@link dev.luq.datasets.CalibrationSets} holds them; {@link dev.luq.datasets.Archive} unpacks foreign zip files within
 * bounds. A set is checked as a whole before it exists ({@code requant.data.Dataset}) and never changes.
 */
package dev.luq.datasets;
