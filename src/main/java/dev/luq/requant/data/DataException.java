package dev.luq.requant.data;

/** Why a folder is not a calibration or evaluation set. Messages say where and what to do, and name no absolute path. */
public abstract sealed class DataException extends RuntimeException {

    private DataException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The folder as a whole: missing, empty, unreadable. */
    public static final class InvalidSet extends DataException {
        InvalidSet(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** One line; the message begins with {@code file:line}. */
    public static final class InvalidExample extends DataException {
        public InvalidExample(String id, String message) {
            super(id + ": " + message, null);
        }
    }
}
