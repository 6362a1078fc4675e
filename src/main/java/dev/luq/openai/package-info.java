/**
 * The OpenAI API, {@code /v1}: models here, chat completions in {@code chat}, their pictures in {@code images}.
 */
package dev.luq.openai;
