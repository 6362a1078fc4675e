package dev.luq.requant.plan;

import dev.luq.memory.MemoryEstimate;

/**
 * A plan and what it takes.
 *
 * @param plan what the model is made of
 * @param weightBytes bytes of the language model's tensors
 * @param bitsPerWeight {@code weightBytes * 8} by the number of weights
 * @param ratioToQ4KM {@code weightBytes} by those of llama.cpp's Q4_K_M
 * @param memory what serving it takes, projector and processes included
 */
public record Candidate(Plan plan, long weightBytes, double bitsPerWeight, double ratioToQ4KM, MemoryEstimate memory) {}
