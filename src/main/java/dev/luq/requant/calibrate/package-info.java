/**
 * One pass of a base model over a calibration set, from which rankings and importance matrices are made. A pass lives in
 * a folder of its own:
 *
 * <pre>
 * folder              := calibration.gguf *.f32
 * calibration.gguf    := what was summed and sampled so far, replaced atomically; see Checkpoint
 * ACT-MODALITY-N.f32  := float32{slots * width}    the sampled vectors of layer N, little-endian, slot after slot;
 *                        ACT is output or normed-input, MODALITY text or image
 * </pre>
 *
 * Whatever happens to the process, running again continues after the last checkpoint and ends with the same bytes as an
 * undisturbed run with the same number of threads: vectors written after the checkpoint are written again, to the same
 * slots.
 */
package dev.luq.requant.calibrate;
