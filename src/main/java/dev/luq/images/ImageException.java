package dev.luq.images;

/** The bytes are no image of a supported format, or a damaged one. The message is for people and names no path. */
public final class ImageException extends RuntimeException {
    ImageException(String message) {
        super(message);
    }
}
