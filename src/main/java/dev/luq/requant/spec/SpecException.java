package dev.luq.requant.spec;

/** A job description that cannot be used. Messages are for people and name no paths. */
public abstract sealed class SpecException extends RuntimeException {

    private SpecException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A value is out of its range or unknown; the message says what is allowed. */
    public static final class Invalid extends SpecException {
        public Invalid(String message) {
            super(message, null);
        }
    }

    /** The job folder holds no job description or status, or a damaged one. */
    public static final class Unreadable extends SpecException {
        Unreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
