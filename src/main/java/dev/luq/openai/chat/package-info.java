/**
 * Chat completions: their requests, which other endpoints make of theirs, and the form of their answers.
 *
 * <p>{@code ChatRequest} is the body as it was sent, {@code ChatValidation} checks it; {@code Chunks} write a streamed answer,
 * {@code ChatCompletion} a whole one.
 */
package dev.luq.openai.chat;
