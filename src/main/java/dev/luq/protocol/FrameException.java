package dev.luq.protocol;

import java.io.IOException;

/** The other side does not speak the protocol: its stream cannot be read any further. */
public final class FrameException extends IOException {

    FrameException(String message) {
        super(message);
    }

    FrameException(String message, Throwable cause) {
        super(message, cause);
    }
}
