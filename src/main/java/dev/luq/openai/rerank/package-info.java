/**
 * Reranking: documents scored by a query. Jina's form of requests and answers, and that of Text Embeddings Inference,
 * as llama-server has them.
 */
package dev.luq.openai.rerank;
