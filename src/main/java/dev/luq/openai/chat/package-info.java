/**
 * Chat completions: a request read and checked, handed to the model's worker, its answer written as JSON or as events.
 *
 * <p>{@link dev.luq.openai.chat.ChatResource} is the whole way in one method. {@code ChatRequest} is the body as it was sent,
 * {@code ValidRequest} the only form in which it goes on; {@code ChatStream} and {@code Chunks} write a streamed answer,
 * {@code ChatCompletion} a whole one. Reading, checking and decoding take a worker thread of Quarkus; a generation holds none.
 */
package dev.luq.openai.chat;
