package dev.luq.images;

/**
 * The bytes are no image of a supported format, a damaged one, or one that takes too much to decode. The message is for
 * people, says what to do where that is not plain, and names no path.
 */
public final class ImageException extends RuntimeException {

    private final boolean tooLarge;

    private ImageException(String message, boolean tooLarge) {
        super(message);
        this.tooLarge = tooLarge;
    }

    /** @param tooLarge whether it is sound and would be decoded if it were smaller */
    public static ImageException of(String message, boolean tooLarge) {
        return new ImageException(message, tooLarge);
    }

    static ImageException damaged(ImageFormat format) {
        return new ImageException("The " + format + " image is damaged or incomplete", false);
    }

    static ImageException unsupported(String message) {
        return new ImageException(message, false);
    }

    static ImageException tooLarge(String message) {
        return new ImageException(message, true);
    }

    /** Whether the image is sound and would be decoded if it were smaller. */
    public boolean isTooLarge() {
        return tooLarge;
    }
}
