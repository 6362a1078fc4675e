package dev.luq.jobs;

/** Why a job cannot be created or changed. Messages are for people: no path. */
public abstract sealed class JobException extends RuntimeException {

    private JobException(String message, Throwable cause) {
        super(message, cause);
    }

    /** There is no such job. */
    public static final class NotFound extends JobException {
        NotFound(String id) {
            super("There is no re-quantization with the id " + id, null);
        }
    }

    /** The job's state does not permit this. */
    public static final class Conflict extends JobException {
        Conflict(String message) {
            super(message, null);
        }
    }

    /** Its idempotency key was used for another request. */
    public static final class KeyReused extends JobException {
        KeyReused() {
            super("This Idempotency-Key was used for another request; use a new one for each", null);
        }
    }

    /** Too many jobs wait. Worth a retry. */
    public static final class QueueFull extends JobException {
        QueueFull(int waiting) {
            super(waiting + " re-quantizations wait already; cancel one or try again later", null);
        }
    }

    /** Another server has the jobs of the data folder. */
    public static final class Elsewhere extends JobException {
        Elsewhere() {
            super("Another server on the same data folder runs the re-quantizations; ask that one", null);
        }
    }

    /** The disk does not take the record; nothing was changed. */
    public static final class NotSaved extends JobException {
        NotSaved(Throwable cause) {
            super("The job could not be written to the data folder; the server's log says why", cause);
        }
    }
}
