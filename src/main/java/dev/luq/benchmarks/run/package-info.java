/**
 * A model's way through a benchmark: the prompts, the answers in a file that a later run goes on with, and what they
 * amount to. {@link dev.luq.benchmarks.run.BenchmarkRun} is the whole of it; who answers is the caller's.
 */
package dev.luq.benchmarks.run;
