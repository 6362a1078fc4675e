package dev.luq.serving;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the generations of one answer, its choices, or the queries of one have in common: they arrived together and have
 * one deadline, and once one of them has begun, the others have their places. Thread-safe.
 */
public final class InFlightAnswer {

    /** {@link System#nanoTime()}. */
    private final long arrived;

    private volatile boolean begun;

    private final AtomicInteger untokenized = new AtomicInteger();
    private volatile Runnable whenTokenized = () -> {};

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

    /**
     * Called before the first of its generations is submitted.
     *
     * @param generations that it will have
     * @param then done once the engine has tokenized them all, and has what it needs of their images. Never, where one fails
     *     before
     */
    public void whenTokenized(int generations, Runnable then) {
        untokenized.set(generations);
        whenTokenized = then;
    }

    /** The engine has tokenized one of its generations. */
    void tokenized() {
        begin();
        if (untokenized.decrementAndGet() == 0) {
            whenTokenized.run();
        }
    }
}
