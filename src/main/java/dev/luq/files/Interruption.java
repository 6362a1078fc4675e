package dev.luq.files;

import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;

/** What is thrown where a thread is interrupted that works with files. */
public final class Interruption {

    private Interruption() {}

    /**
     * Whether an interrupt is the reason of a failure: files that an interrupted thread reads, writes or locks say it in
     * words of their own, whoever wraps them.
     */
    public static boolean caused(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof InterruptedException
                    || cause instanceof ClosedByInterruptException
                    || cause instanceof FileLockInterruptionException) {
                return true;
            }
        }
        return false;
    }
}
