package dev.luq.requant.pipeline;

import dev.luq.gguf.ImportanceMatrix;

/**
 * An importance matrix.
 *
 * @param key names it by what it was made from
 */
record KeyedImatrix(String key, ImportanceMatrix values) {
}
