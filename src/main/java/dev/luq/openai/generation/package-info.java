/**
 * One way from a request to its answer for every endpoint that generates: admitted, read, checked, its pictures decoded,
 * handed to the model's worker, answered as JSON or as events.
 *
 * <p>{@link dev.luq.openai.generation.Generations} is the whole way in one class. An endpoint brings an {@link
 * dev.luq.openai.generation.Exchange}: what its request means, as a {@link dev.luq.openai.generation.ValidRequest}, the
 * only form in which it goes on, and how its answer is written. Reading, checking and decoding take a worker thread of
 * Quarkus; a generation holds none.
 */
package dev.luq.openai.generation;
