package dev.luq;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what follows by itself, without keeping the processors from it. The limit only ends broken tests. */
public final class Until {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Until() {
    }

    /** @param what is waited for, for the message of a test that waited in vain */
    public static void until(String what, BooleanSupplier condition) {
        long limit = System.nanoTime() + LIMIT.toNanos();
        for (int looks = 1; !condition.getAsBoolean(); looks++) {
            if (System.nanoTime() > limit) {
                throw new AssertionError("waited in vain for " + what);
            }
            try {
                Thread.sleep(Math.min(5 * looks, 50));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for " + what, e);
            }
        }
    }
}
