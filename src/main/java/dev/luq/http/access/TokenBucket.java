package dev.luq.http.access;

import java.util.function.LongSupplier;

/**
 * So much a minute, and at most so much at once. What is taken may be more than there is: whoever did so waits longer.
 * Thread-safe.
 */
final class TokenBucket {

    private static final double NANOS_PER_MINUTE = 60e9;
    /** Seconds that sums of fractions may be wrong by. */
    private static final double ROUNDING = 1e-6;

    private final long perMinute;
    private final LongSupplier clock;
    // guarded by this
    private double level;
    private long filled;

    /** @param clock nanoseconds */
    TokenBucket(long perMinute, LongSupplier clock) {
        this.perMinute = perMinute;
        this.clock = clock;
        this.level = perMinute;
        this.filled = clock.getAsLong();
    }

    /** Seconds, rounded up, until there is one; 0 when there is. */
    synchronized long secondsToWait() {
        fill();
        double seconds = (1 - level) * 60 / perMinute;
        return seconds < ROUNDING ? 0 : (long) Math.ceil(seconds - ROUNDING);
    }

    synchronized void take(long amount) {
        fill();
        level -= amount;
    }

    private void fill() {
        long now = clock.getAsLong();
        level = Math.min(perMinute, level + perMinute * ((now - filled) / NANOS_PER_MINUTE));
        filled = now;
    }
}
