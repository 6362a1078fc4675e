package dev.luq;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * Waiting for what other threads and processes do. How long that takes depends on how busy the machine is, so the limit only
 * ends tests that are broken; the message of such a test says what it waited for.
 */
public final class Until {

    /** Longest wait where a test does not say otherwise. */
    public static final Duration LIMIT = Duration.ofSeconds(60);

    private Until() {}

    /** @param what is waited for */
    public static void until(String what, BooleanSupplier condition) {
        until(what, LIMIT, condition);
    }

    /** Looks often at first, then 20 times a second: polling must not take the processors from what is waited for. */
    public static void until(String what, Duration limit, BooleanSupplier condition) {
        long end = System.nanoTime() + limit.toNanos();
        for (int looks = 1; !condition.getAsBoolean(); looks++) {
            if (System.nanoTime() > end) {
                throw inVain(what, limit);
            }
            try {
                Thread.sleep(Math.min(5 * looks, 50));
            } catch (InterruptedException e) {
                throw interrupted(what, e);
            }
        }
    }

    /** Waits until the latch is at zero. */
    public static void reached(String what, CountDownLatch latch) {
        try {
            if (!latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw inVain(what, LIMIT);
            }
        } catch (InterruptedException e) {
            throw interrupted(what, e);
        }
    }

    /** @return what the future completes with */
    public static <T> T completed(String what, Future<T> future) throws ExecutionException {
        try {
            return future.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw inVain(what, LIMIT);
        } catch (InterruptedException e) {
            throw interrupted(what, e);
        }
    }

    /** @return the exit code of the process when it has ended */
    public static int ended(String what, Process process) {
        return ended(what, LIMIT, process);
    }

    /** See {@link #ended(String, Process)}. */
    public static int ended(String what, Duration limit, Process process) {
        try {
            if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
                throw inVain(what, limit);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw interrupted(what, e);
        }
    }

    private static AssertionError inVain(String what, Duration limit) {
        return new AssertionError("waited " + limit.toSeconds() + " s in vain for " + what);
    }

    private static AssertionError interrupted(String what, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new AssertionError("interrupted while waiting for " + what, e);
    }
}
