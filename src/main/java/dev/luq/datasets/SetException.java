package dev.luq.datasets;

/** Why a set cannot be used. Messages are for people: no path of this machine. */
public abstract sealed class SetException extends RuntimeException {

    private SetException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The archive, or what is in it, is no calibration set. */
    public static final class Invalid extends SetException {
        Invalid(String message) {
            super(message, null);
        }
    }

    /** The archive has more bytes or files than allowed. */
    public static final class TooLarge extends SetException {
        TooLarge(String message) {
            super(message, null);
        }
    }

    /** Too many are being uploaded at this moment. */
    public static final class Busy extends SetException {
        Busy(String message) {
            super(message, null);
        }
    }

    /** There is no such set. */
    public static final class NotFound extends SetException {
        NotFound(String name) {
            super("There is no calibration set named " + name, null);
        }
    }

    /** The name is taken by another set, or too many exist. */
    public static final class Conflict extends SetException {
        Conflict(String message) {
            super(message, null);
        }
    }

    /** The disk does not take it; nothing was changed. */
    public static final class NotSaved extends SetException {
        NotSaved(Throwable cause) {
            super("The set could not be written to the data folder; the server's log says why", cause);
        }
    }
}
