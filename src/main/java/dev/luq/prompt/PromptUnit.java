package dev.luq.prompt;

/**
 * The smallest piece of a prompt that a cached prefix may end after. Two units are equal when the model would compute
 * the same for them at the same place.
 */
public sealed interface PromptUnit {

    /** Cells of the KV cache that it fills. */
    int cells();

    /** Positions by which it advances the sequence; with M-RoPE an image takes fewer positions than cells. */
    int positions();

    /** One token of text. */
    record Text(int token) implements PromptUnit {
        @Override
        public int cells() {
            return 1;
        }

        @Override
        public int positions() {
            return 1;
        }
    }

    /**
     * One whole image: half an image is never reused.
     *
     * @param id identity of its pixels
     * @param divisible whether it may be evaluated in several steps
     */
    record Image(String id, int cells, int positions, boolean divisible) implements PromptUnit {}
}
