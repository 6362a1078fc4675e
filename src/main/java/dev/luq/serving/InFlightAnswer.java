package dev.luq.serving;

/**
 * What the generations of one answer, its choices, have in common: they arrived together and have one deadline, and
 * once one of them has begun, the others have their places. Thread-safe.
 */
public final class InFlightAnswer {

    /** {@link System#nanoTime()}. */
    private final long arrived;

    private volatile boolean begun;

    /** One that arrives now. */
    public InFlightAnswer() {
        this(System.nanoTime());
    }

    InFlightAnswer(long arrived) {
        this.arrived = arrived;
    }

    long arrived() {
        return arrived;
    }

    /** Whether the engine has begun with one of its generations. */
    boolean hasBegun() {
        return begun;
    }

    void begin() {
        begun = true;
    }
}
