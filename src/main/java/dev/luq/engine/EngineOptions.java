package dev.luq.engine;

import dev.luq.gguf.Pooling;
import java.time.Duration;

/**
 * How an engine runs.
 *
 * @param sequences requests that run at once, 1 or more; as many as the context was created for
 * @param batchSize tokens of one step at most, more than sequences; the context's batch size or less. Smaller batches
 *        let running streams go on sooner while a prompt is evaluated.
 * @param sequenceContext tokens that one sequence may have at most; 0 for as many as the context holds
 * @param imageCacheBytes upper bound of the image embeddings kept for later requests
 * @param promptCacheBytes upper bound of prompts kept in memory once their sequences are given to others; 0 keeps none
 * @param draftTokens that one step drafts at most and decodes before they are sampled (speculative decoding by
 *        {@link PromptLookup}); 0 for none. Together with sequences, as many as the batch has tokens at most, and as the
 *        context has outputs
 * @param streamInterval text that a request generates within this time of its last delta is gathered into the next one;
 *        zero for a delta per token
 * @param encodesInTurns whether steps and the encoding of images take turns on the processors: where there are fewer than
 *        the threads of both together
 * @param pooling how embeddings are made; {@link Pooling#MEAN} needs a context with an output for each token of a batch,
 *        {@link Pooling#CLS} an encoder, {@link Pooling#RANK} a model that was loaded to rank
 */
public record EngineOptions(
        int sequences,
        int batchSize,
        int sequenceContext,
        long imageCacheBytes,
        long promptCacheBytes,
        int draftTokens,
        Duration streamInterval,
        boolean encodesInTurns,
        Pooling pooling) {

    public EngineOptions {
        if (sequences < 1
                || batchSize <= sequences
                || sequenceContext < 0
                || imageCacheBytes < 0
                || promptCacheBytes < 0
                || draftTokens < 0
                || draftTokens > batchSize - sequences
                || streamInterval.isNegative()) {
            throw new IllegalArgumentException(
                    "needs 1 <= sequences < batchSize, sequenceContext >= 0, imageCacheBytes >= 0, promptCacheBytes >= 0, streamInterval >= 0, "
                            + "0 <= draftTokens <= batchSize - sequences");
        }
    }

    /** For generation alone, without drafts; any sequence may have all of the context. */
    public EngineOptions(
            int sequences,
            int batchSize,
            long imageCacheBytes,
            long promptCacheBytes,
            Duration streamInterval,
            boolean encodesInTurns) {
        this(
                sequences,
                batchSize,
                0,
                imageCacheBytes,
                promptCacheBytes,
                0,
                streamInterval,
                encodesInTurns,
                Pooling.NONE);
    }
}
