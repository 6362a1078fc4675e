package dev.luq.requant.pipeline;

import dev.luq.files.Interruption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Work that ends when its thread is interrupted. What it has done by then is kept. */
@FunctionalInterface
interface Cancellable<T> {

    long POLL_MILLIS = 200;

    T run() throws IOException, InterruptedException;

    /**
     * Runs it on this thread, and interrupts it once it is cancelled.
     *
     * @param cancelled asked from another thread
     * @throws RequantizationException.Cancelled if so
     */
    static <T> T run(BooleanSupplier cancelled, Cancellable<T> work) {
        Thread worker = Thread.currentThread();
        CountDownLatch done = new CountDownLatch(1);
        Thread watcher = new Thread(
                () -> {
                    try {
                        while (!done.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                            if (cancelled.getAsBoolean()) {
                                worker.interrupt();
                                return;
                            }
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "luq-cancel");
        watcher.setDaemon(true);
        watcher.start();
        try {
            T result = work.run();
            if (cancelled.getAsBoolean()) {
                throw new RequantizationException.Cancelled();
            }
            return result;
        } catch (InterruptedException | IOException | RuntimeException e) {
            if (Interruption.caused(e)) {
                throw new RequantizationException.Cancelled();
            }
            throw e instanceof RuntimeException as ? as : new UncheckedIOException((IOException) e);
        } finally {
            done.countDown();
            join(watcher);
            // An interrupt that came too late must not end other work.
            Thread.interrupted();
        }
    }

    @SuppressWarnings("ThreadJoinLoop") // this is the loop
    private static void join(Thread watcher) {
        while (watcher.isAlive()) {
            try {
                watcher.join();
            } catch (InterruptedException e) {
                // by the watcher itself: it ends now
            }
        }
    }
}
