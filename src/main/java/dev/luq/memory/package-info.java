/**
 * How much memory serving a model takes, from file headers alone: weights, vision, KV cache, buffers, processes.
 *
 * <p>{@link dev.luq.memory.MemoryModel} adds it up. The formulas follow llama.cpp v0.5.0 and native/KERNELS.md;
 * {@code ./luq bench memory} compares them with what processes take.
 */
package dev.luq.memory;
