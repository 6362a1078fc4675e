package dev.luq.llama;

/** A piece of a prompt before it is tokenized. */
public sealed interface PromptPart {

    /**
     * @param parseSpecial whether the text of a control token becomes that token; false for what users write
     */
    record Text(String text, boolean parseSpecial) implements PromptPart {}

    /**
     * Text that is tokenized already. It stands beside text alone: {@link Vision#tokenize} takes none.
     *
     * @param tokens not copied
     */
    record Tokens(int[] tokens) implements PromptPart {}

    /**
     * @param width in pixels
     * @param height in pixels
     * @param rgb {@code 3 * width * height} bytes, row by row from the top, R G B; not copied, not changed
     * @param id identity of the pixels, such as their SHA-256
     */
    record Image(int width, int height, byte[] rgb, String id) implements PromptPart {

        public Image {
            if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
                throw new IllegalArgumentException(
                        "an image of " + width + " x " + height + " pixels does not have " + rgb.length + " bytes");
            }
        }
    }
}
