/**
 * The OpenAI API, {@code /v1}: models here, what endpoints that generate share in {@code generation}, chat completions in
 * {@code chat}, responses in {@code responses}, pictures of requests in {@code images}.
 */
package dev.luq.openai;
