/**
 * Completions of prompts without a template, {@code /v1/completions}: a {@link dev.luq.openai.completions.CompletionExchange}
 * for {@link dev.luq.openai.generation.Generations}.
 */
package dev.luq.openai.completions;
