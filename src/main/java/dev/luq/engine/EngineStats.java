package dev.luq.engine;

/**
 * A snapshot of the engine. Gauges are of this moment, counters since its start.
 *
 * @param waiting requests queued or being prepared
 * @param running requests holding a sequence
 * @param kvCellsUsed used cells of the KV cache, caches of ended requests included
 * @param kvCells all cells of the KV cache
 * @param promptTokens counter: prompt tokens evaluated or reused
 * @param generationTokens counter
 * @param prefixQueries counter: prompt tokens looked up in the prompt cache
 * @param prefixHits counter: prompt tokens taken from it
 * @param imageQueries counter: images looked up in the embedding cache
 * @param imageHits counter
 * @param imageFileQueries counter: images looked up among the files of those seen before
 * @param imageFileHits counter
 * @param promptFileQueries counter: prompts looked up among the files of those evaluated before
 * @param promptFileHits counter: prompts whose beginning was restored from there
 * @param imagesEncoded counter
 * @param imageEncodeMillis counter: time spent encoding
 * @param imageTokens counter: image tokens of prompts
 * @param cancelled counter: requests cancelled
 * @param draftedTokens counter: tokens decoded before they were sampled
 * @param acceptedTokens counter: of these, tokens of answers
 * @param drafts counter: steps of requests that had drafted tokens
 * @param promptCacheBytes bytes of prompts kept beyond the sequences
 * @param promptCacheHits counter: prompts whose beginning was restored from there
 * @param promptCacheEvictions counter: prompts that went from there for others
 * @param evaluatedTokens counter: of the prompt tokens, those that were evaluated
 * @param promptMillis counter: time from getting a sequence until the prompt is there, over all requests
 * @param generationMillis counter: time from there until the latest token, over all requests
 * @param decodes counter: batches of tokens that were decoded
 * @param decodedSequences counter: sequences in these batches
 * @param longestSequence most cells that a sequence had so far
 */
public record EngineStats(
        int waiting,
        int running,
        int kvCellsUsed,
        int kvCells,
        long promptTokens,
        long generationTokens,
        long prefixQueries,
        long prefixHits,
        long imageQueries,
        long imageHits,
        long imageFileQueries,
        long imageFileHits,
        long promptFileQueries,
        long promptFileHits,
        long imagesEncoded,
        double imageEncodeMillis,
        long imageTokens,
        long cancelled,
        long draftedTokens,
        long acceptedTokens,
        long drafts,
        long promptCacheBytes,
        long promptCacheHits,
        long promptCacheEvictions,
        long evaluatedTokens,
        double promptMillis,
        double generationMillis,
        long decodes,
        long decodedSequences,
        long longestSequence) {}
