/**
 * A re-quantization from the base model's files to a published manifest.
 *
 * <p>The data folder, of which this room owns {@code cache}:
 * <pre>
 * data      = store jobs calibration cache catalog.json
 * jobs      = one folder per job: spec.json status.json plan.json report.json report.html process.lock
 * cache     = lock calibration rankings outputs quality uniform
 * </pre>
 * Everything in the cache is named by the SHA-256 of what it was made from, appears whole or not at all, and may be
 * deleted at any time while no job runs. A job that is killed is run again from its start: what is done is found there, in
 * the store, and in {@code plan.json}, which holds the chosen plan. What it has published is not made again: nothing in the
 * cache counts for another build of the kernels, which would compute other last digits.
 */
package dev.luq.requant.pipeline;
