package dev.luq.jobs;

/**
 * Where a job stands.
 * <pre>
 * QUEUED --> RUNNING --> SUCCEEDED
 *   ^  |        |  |
 *   |  |        |  +---> FAILED ----+
 *   |  +--------+------> CANCELLED -+-- resume --> QUEUED
 *   +-----------+ its process died, or the server ended
 * </pre>
 */
public enum JobState {
    /** Waits for its turn. */
    QUEUED,
    /** A process works on it. */
    RUNNING,
    /** Its result is in the store. */
    SUCCEEDED,
    /** It cannot go on by itself; the error says why. */
    FAILED,
    /** Somebody stopped it. */
    CANCELLED;

    /** Whether nothing happens any more unless somebody resumes it. */
    public boolean isFinal() {
        return this == SUCCEEDED || this == FAILED || this == CANCELLED;
    }
}
