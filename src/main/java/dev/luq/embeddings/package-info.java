/**
 * Embeddings of images as files: a picture that was seen before a restart is not encoded again.
 *
 * <p>{@link dev.luq.embeddings.EmbeddingFiles} are those of one encoder, for the worker that serves it;
 * {@link dev.luq.embeddings.EmbeddingFolder} is the folder of all, which workers share and the server tidies. The room knows
 * neither llama.cpp nor images: names and bytes come from its users.
 */
package dev.luq.embeddings;
