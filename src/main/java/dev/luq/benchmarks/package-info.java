/**
 * The nine benchmarks of the LUQ paper: their published files, the questions as models are asked them, and the scores
 * as their makers compute them.
 *
 * <p>{@link dev.luq.benchmarks.Benchmark} names them. {@code data} reads the files, {@code run} asks and keeps the
 * answers, {@code scoring} turns answers into scores and knows no files.
 */
package dev.luq.benchmarks;
