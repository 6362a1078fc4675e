/** Embeddings: OpenAI's endpoint, which answers requests of llama-server's form too. */
package dev.luq.openai.embeddings;
