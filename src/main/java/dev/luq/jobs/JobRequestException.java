package dev.luq.jobs;

/** Why a job cannot be created or changed. Messages are for people: no path. */
public abstract sealed class JobRequestException extends RuntimeException {

    private JobRequestException(String message, Throwable cause) {
        super(message, cause);
    }

    /** There is no such job. */
    public static final class NotFound extends JobRequestException {
        NotFound(String id) {
            super("There is no re-quantization with the id " + id, null);
        }
    }

    /** The job's state does not permit this. */
    public static final class Conflict extends JobRequestException {
        Conflict(String message) {
            super(message, null);
        }
    }

    /** Its idempotency key was used for another request. */
    public static final class KeyReused extends JobRequestException {
        KeyReused() {
            super("This Idempotency-Key was used for another request; use a new one for each", null);
        }
    }

    /** Too many jobs wait. Worth a retry. */
    public static final class QueueFull extends JobRequestException {
        QueueFull(int waiting) {
            super(waiting + " re-quantizations wait already; cancel one or try again later", null);
        }
    }

    /** Another server has the jobs of the data folder. */
    public static final class Elsewhere extends JobRequestException {
        Elsewhere() {
            super("Another server on the same data folder runs the re-quantizations; ask that one", null);
        }
    }

    /** The disk does not take the record; nothing was changed. */
    public static final class NotSaved extends JobRequestException {
        NotSaved(Throwable cause) {
            super("The job could not be written to the data folder; the server's log says why", cause);
        }
    }
}
