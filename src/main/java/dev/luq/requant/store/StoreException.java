package dev.luq.requant.store;

/** Why the store could not do something. Messages are complete sentences for people and name no path. */
public abstract sealed class StoreException extends RuntimeException {

    private StoreException(String message) {
        super(message);
    }

    private StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The disk is full. What was complete before is untouched. */
    public static final class NoSpace extends StoreException {
        NoSpace(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** There is no such manifest. */
    public static final class NotFound extends StoreException {
        NotFound(String message) {
            super(message);
        }
    }

    /** A worker uses the model. */
    public static final class InUse extends StoreException {
        InUse(String message) {
            super(message);
        }
    }

    /** Another manifest has this id. */
    public static final class Conflict extends StoreException {
        Conflict(String message) {
            super(message);
        }
    }

    /** A file is missing, cut off or changed. */
    public static final class Damaged extends StoreException {
        Damaged(String message) {
            super(message);
        }
    }

    /** The text is no id of a manifest. */
    public static final class InvalidId extends StoreException {
        InvalidId(String message) {
            super(message);
        }
    }

    /** A newer version of this program wrote the manifest. */
    public static final class Unsupported extends StoreException {
        Unsupported(String message) {
            super(message);
        }
    }
}
