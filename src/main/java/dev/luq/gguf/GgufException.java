package dev.luq.gguf;

import dev.luq.files.PlainText;

/** Why a file is not a model that can be used. Messages are complete sentences for people and name no path. */
public abstract sealed class GgufException extends RuntimeException {

    /** Characters of a message, which may quote the file. */
    private static final int LONGEST = 1000;

    private GgufException(String message) {
        this(message, null);
    }

    private GgufException(String message, Throwable cause) {
        super(PlainText.of(message, LONGEST), cause);
    }

    /** The file does not start as a GGUF does. */
    public static final class NotGguf extends GgufException {
        public NotGguf(String message) {
            super(message);
        }
    }

    /** A version, type or byte order that this build does not know. */
    public static final class Unsupported extends GgufException {
        public Unsupported(String message) {
            super(message);
        }
    }

    /** The file ends before what it announces: cut off, or its table lies. */
    public static final class Truncated extends GgufException {
        public Truncated(String message) {
            super(message);
        }
    }

    /** The file contradicts the grammar or itself. */
    public static final class Malformed extends GgufException {
        public Malformed(String message) {
            super(message);
        }
    }

    /** A file of a model or its projector cannot be served; the message says which of the two and why. */
    public static final class Unusable extends GgufException {
        Unusable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Files that do not belong together: the parts of a split model, or a projector and a model. */
    public static final class Mismatch extends GgufException {
        public Mismatch(String message) {
            super(message);
        }
    }
}
