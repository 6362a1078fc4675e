package dev.luq.llama;

import dev.luq.machine.KvType;

/**
 * How a context is made. Its KV cache is one for all sequences.
 *
 * @param contextSize tokens of KV cache, shared by all sequences
 * @param batchSize tokens in one decode at most, computed as one micro-batch
 * @param sequences number of sequences
 * @param threads compute threads; 0 takes the processors available
 * @param kv number format of the KV cache; Q8_0 needs flash attention and heads whose width is a multiple of 32
 * @param flashAttention whether attention is computed without holding the whole score matrix
 * @param outputs tokens with output in one decode at most; each takes a float per token of the vocabulary
 */
public record ContextOptions(
        int contextSize, int batchSize, int sequences, int threads, KvType kv, boolean flashAttention, int outputs) {

    public ContextOptions {
        if (contextSize < 1 || batchSize < 1 || sequences < 1 || threads < 0) {
            throw new IllegalArgumentException(
                    "context and batch size and sequences must be 1 or more, threads 0 or more");
        }
        if (batchSize < sequences) {
            throw new IllegalArgumentException(
                    "a batch of " + batchSize + " cannot hold one token for each of " + sequences + " sequences");
        }
        if (sequences > MAX_SEQUENCES) {
            throw new IllegalArgumentException("at most " + MAX_SEQUENCES + " sequences, not " + sequences);
        }
        if (outputs < 1 || outputs > batchSize) {
            throw new IllegalArgumentException(
                    "a batch of " + batchSize + " has 1 to " + batchSize + " outputs, not " + outputs);
        }
    }

    /** For generation: one output for each sequence. */
    public ContextOptions(
            int contextSize, int batchSize, int sequences, int threads, KvType kv, boolean flashAttention) {
        this(contextSize, batchSize, sequences, threads, kv, flashAttention, sequences);
    }

    /** LLAMA_MAX_SEQ of llama.cpp. */
    public static final int MAX_SEQUENCES = 256;
}
