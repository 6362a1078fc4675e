package dev.luq;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what follows by itself. The limit only ends broken tests. */
public final class Until {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Until() {
    }

    /** @param what is waited for, for the message of a test that waited in vain */
    public static void until(String what, BooleanSupplier condition) {
        long limit = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > limit) {
                throw new AssertionError("waited in vain for " + what);
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for " + what, e);
            }
        }
    }
}
