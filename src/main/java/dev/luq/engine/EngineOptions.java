package dev.luq.engine;

/**
 * How an engine runs.
 *
 * @param sequences requests that run at once, 1 or more; as many as the context was created for
 * @param batchSize tokens of one step at most, more than sequences; the context's batch size or less. Smaller batches
 *        let running streams go on sooner while a prompt is evaluated.
 * @param imageCacheBytes upper bound of the image embeddings kept for later requests
 */
public record EngineOptions(int sequences, int batchSize, long imageCacheBytes) {

    public EngineOptions {
        if (sequences < 1 || batchSize <= sequences || imageCacheBytes < 0) {
            throw new IllegalArgumentException("needs 1 <= sequences < batchSize and imageCacheBytes >= 0");
        }
    }
}
