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
    /** Waits for the jobs before it. */
    QUEUED,
    /** A process works on it. */
    RUNNING,
    /** Its result is in the store. */
    SUCCEEDED,
    /** It cannot go on by itself; the error says why. */
    FAILED,
    /** It was cancelled. */
    CANCELLED;

    /** Whether it stays so unless it is resumed. */
    public boolean isFinal() {
        return this == SUCCEEDED || this == FAILED || this == CANCELLED;
    }
}
