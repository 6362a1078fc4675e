/**
 * Re-quantization: from a base model and example questions to a smaller model that meets a budget.
 *
 * <p>{@link dev.luq.requant.pipeline.RequantizationJob} runs it from end to end; the rooms below are its parts. {@code data},
 * {@code plan}, {@code spec} and {@code store} are free of native code, and the server uses them; the others run in the process
 * of a job or of a command.
 */
package dev.luq.requant;
