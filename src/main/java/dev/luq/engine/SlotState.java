package dev.luq.engine;

/**
 * What a sequence does at one moment.
 *
 * @param request id of the request that runs in it; null when none does
 * @param cells of the KV cache that it fills; when no request runs, with what is kept for later ones
 * @param promptTokens of its request; 0 when none runs
 * @param cachedTokens of promptTokens, those that were taken from the cache
 * @param evaluatedTokens of promptTokens, those that are in the KV cache by now
 * @param generatedTokens by its request
 * @param maxTokens that its request may generate; 0 for as many as the context holds
 */
public record SlotState(
        String request,
        int cells,
        int promptTokens,
        int cachedTokens,
        int evaluatedTokens,
        int generatedTokens,
        int maxTokens) {

    static SlotState idle(int cells) {
        return new SlotState(null, cells, 0, 0, 0, 0, 0);
    }
}
