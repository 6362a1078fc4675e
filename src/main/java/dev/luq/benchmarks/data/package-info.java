/**
 * The published files of the benchmarks, as people download them: Parquet of the Hugging Face hub, TSV of VLMEvalKit,
 * and what the makers publish. {@link dev.luq.benchmarks.data.BenchmarkFolder} finds out which of them a folder holds
 * and reads its questions one after the other.
 */
package dev.luq.benchmarks.data;
