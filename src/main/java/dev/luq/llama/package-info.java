/**
 * llama.cpp for Java: the only room that knows native code.
 *
 * <p>{@link dev.luq.llama.Llama#init} loads the libraries, once a process. A {@link dev.luq.llama.Model} holds weights and
 * vocabulary; {@link dev.luq.llama.Context}, {@link dev.luq.llama.Sampler}, {@link dev.luq.llama.Vision} and
 * {@link dev.luq.llama.ChatTemplates} are made from one and keep it in memory until they are closed. Everything native is owned
 * by an {@code AutoCloseable} of this room. What llama.cpp's C API lacks comes from the shim, {@code native/shim}. Failures are
 * {@link dev.luq.llama.LlamaException}s, whose messages clients may see.
 */
package dev.luq.llama;
