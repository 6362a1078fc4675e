package dev.luq.llama;

/** A piece of a prompt as the decoder takes it. */
public sealed interface PromptChunk permits PromptChunk.TextChunk, ImageChunk {

    /** Tokens in the KV cache. */
    int size();

    /** Positions in the sequence. */
    int positions();

    /** @param tokens not copied */
    record TextChunk(int[] tokens) implements PromptChunk {

        @Override
        public int size() {
            return tokens.length;
        }

        @Override
        public int positions() {
            return tokens.length;
        }
    }
}
