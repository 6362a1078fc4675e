package dev.luq.serving;

import java.time.Duration;

/**
 * What the generations of one answer, its choices, or the queries of one have in common: they arrived together and have
 * one deadline, and once one of them has begun, the others have their places. Thread-safe.
 */
public final class InFlightAnswer {

    /** {@link System#nanoTime()}. */
    private final long arrived;

    private volatile boolean begun;

    /** One that arrives now. */
    public InFlightAnswer() {
        this(System.nanoTime());
    }

    /** @param arrived when its request arrived, {@link System#nanoTime()} */
    public InFlightAnswer(long arrived) {
        this.arrived = arrived;
    }

    /** How long ago it arrived. */
    public Duration age() {
        return Duration.ofNanos(System.nanoTime() - arrived);
    }

    /** Whether this one arrived after another one. */
    boolean isNewerThan(InFlightAnswer other) {
        return arrived - other.arrived > 0;
    }

    /** Whether the engine has begun with one of its generations, or has answered one of its queries. */
    boolean hasBegun() {
        return begun;
    }

    void begin() {
        begun = true;
    }
}
