package dev.luq.requant.pipeline;

import dev.luq.gguf.ImportanceMatrix;

/**
 * An importance matrix with its key in the cache.
 *
 * @param key digest of what it was made from
 * @param values what blocks are made with
 * @param bounded what their errors are weighted by
 */
record KeyedImatrix(String key, ImportanceMatrix values, ImportanceMatrix bounded) {}
