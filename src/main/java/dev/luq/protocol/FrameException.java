package dev.luq.protocol;

import java.io.IOException;

/**
 * What is read is no frame: the other side does not speak the protocol, and its stream cannot be read any further. Or what
 * was to be written cannot be a frame.
 */
public final class FrameException extends IOException {

    FrameException(String message) {
        super(message);
    }

    FrameException(String message, Throwable cause) {
        super(message, cause);
    }
}
