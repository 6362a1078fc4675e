package dev.luq.engine;

import dev.luq.prompt.PromptUnit;
import java.util.List;

/**
 * What to decode next: one batch of tokens and at most one slice of an image's embeddings, since a llama batch holds
 * tokens or embeddings, never both. Together they are at most one batch long, so no stream waits longer than that.
 *
 * @param tokens runs of different sequences, possibly empty
 * @param image null for none
 */
record Step(List<TokenRun> tokens, ImageSlice image) {

    boolean isEmpty() {
        return tokens.isEmpty() && image == null;
    }

    /** The requests whose tokens are evaluated. */
    List<String> requests() {
        return tokens.stream().map(TokenRun::request).toList();
    }

    /** Cells of the KV cache that it fills. */
    int cells() {
        int cells = image == null ? 0 : image.count();
        for (TokenRun run : tokens) {
            cells += run.tokens().length;
        }
        return cells;
    }

    /**
     * Consecutive tokens of one sequence.
     *
     * @param position of the first token
     * @param outputs of the last tokens, how many have their logits wanted: 0; 1; or more where all but the first of
     *        these are drafted
     */
    record TokenRun(String request, int sequence, int position, int[] tokens, int outputs) {

        /** Tokens that were not sampled, but are expected to be. */
        int drafted() {
            return Math.max(0, outputs - 1);
        }
    }

    /**
     * Consecutive embeddings of one image.
     *
     * @param unit index of the image in its prompt
     * @param first index of the first embedding within the image
     * @param count number of embeddings
     * @param position of the image, the same for all its slices
     * @param last whether the image is complete after this slice
     * @param output whether the last embedding's logits are wanted
     */
    record ImageSlice(
            String request,
            int sequence,
            int unit,
            PromptUnit.Image image,
            int first,
            int count,
            int position,
            boolean last,
            boolean output) {}
}
