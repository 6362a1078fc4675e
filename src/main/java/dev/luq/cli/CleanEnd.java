package dev.luq.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Work that leaves nothing half done when a signal ends this process, as Ctrl-C does: while this is open, the end waits a
 * while for the work to stop and tidy up, which the signal alone would not let it do.
 */
final class CleanEnd implements AutoCloseable {

    private static final long STOP_SECONDS = 20;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread atExit;

    /**
     * @param stop makes the work end soon, with closing this as its last step; called by another thread, once at most
     */
    CleanEnd(Runnable stop) {
        atExit = new Thread(() -> {
            stop.run();
            awaitStopped();
        });
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    private void awaitStopped() {
        try {
            stopped.await(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The work is over. */
    @Override
    public void close() {
        stopped.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // The process is ending.
        }
    }
}
