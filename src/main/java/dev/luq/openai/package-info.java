/**
 * The OpenAI API, {@code /v1}: models here, what endpoints that generate share in {@code generation}, chat completions in
 * {@code chat}, pictures of requests in {@code images}.
 */
package dev.luq.openai;
