package dev.luq.requant.feed;

import dev.luq.llama.TensorTap;
import dev.luq.machine.KvType;
import java.util.Objects;
import java.util.Optional;

/**
 * How examples are evaluated.
 *
 * @param contextSize tokens that an example may have, its answer included
 * @param batchSize tokens evaluated at once, more where those of a picture must be (Gemma 3). With {@link Outputs#ALL}
 *        each takes two floats per token of the vocabulary
 * @param threads compute threads; 0 takes the processors available
 * @param imageTokens larger images are reduced to this many tokens, as when the model is served; 0 takes the model's own
 *        bound. Without meaning for models of a fixed image size
 * @param chatTemplate in place of the model's own, as when it is served: Jinja, or the name of one that llama.cpp has
 * @param kv number format of the KV cache
 * @param outputs which tokens have outputs
 * @param tap sees the tensors of every batch. A batch is computed in one piece, so a tensor has a row for each token
 */
public record FeedOptions(
        int contextSize,
        int batchSize,
        int threads,
        int imageTokens,
        Optional<String> chatTemplate,
        KvType kv,
        Outputs outputs,
        Optional<TensorTap> tap) {

    /** Which tokens have outputs: logits, and anything that follows the attention of the last layer. */
    public enum Outputs {
        /** Those that predict a token of the answer or its end. */
        ANSWER,
        /** Every one. */
        ALL
    }

    public FeedOptions {
        Objects.requireNonNull(chatTemplate, "chatTemplate is null");
        Objects.requireNonNull(kv, "kv is null");
        Objects.requireNonNull(outputs, "outputs is null");
        Objects.requireNonNull(tap, "tap is null");
        if (contextSize < 1 || batchSize < 1 || threads < 0 || imageTokens < 0) {
            throw new IllegalArgumentException(
                    "context and batch size are 1 or more, threads and image tokens 0 or more");
        }
        batchSize = Math.min(batchSize, contextSize);
    }

    /** With a KV cache of F16. */
    public FeedOptions(
            int contextSize,
            int batchSize,
            int threads,
            int imageTokens,
            Optional<String> chatTemplate,
            Outputs outputs,
            Optional<TensorTap> tap) {
        this(contextSize, batchSize, threads, imageTokens, chatTemplate, KvType.F16, outputs, tap);
    }

    /** With the model's own template too. */
    public FeedOptions(
            int contextSize, int batchSize, int threads, int imageTokens, Outputs outputs, Optional<TensorTap> tap) {
        this(contextSize, batchSize, threads, imageTokens, Optional.empty(), outputs, tap);
    }

    /** The same, watched. */
    FeedOptions with(TensorTap other) {
        return new FeedOptions(
                contextSize, batchSize, threads, imageTokens, chatTemplate, kv, outputs, Optional.of(other));
    }
}
