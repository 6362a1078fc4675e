/**
 * Scores of answers, equal to those of the official scripts to the last case: {@link dev.luq.benchmarks.scoring.Scorer}
 * counts them, {@link dev.luq.benchmarks.scoring.Reference} is what each is held against.
 */
package dev.luq.benchmarks.scoring;
