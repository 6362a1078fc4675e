package dev.luq.jobs.child;

import dev.luq.luq.spec.Phase;
import java.util.OptionalLong;

/** What a job's process does. */
interface JobBody {

    /** Told how far the body is; thread-safe. */
    interface Progress {
        void phase(Phase phase);

        /** @param share of the whole job, 0..1 */
        void progress(double share, OptionalLong secondsLeft);

        void note(String message);

        /** Whether the body is to stop; asked at least every second. */
        boolean cancelled();
    }

    /** The body stopped because it was asked to. */
    final class Stopped extends Exception {
        Stopped() {
            super("stopped", null, false, false);
        }
    }

    /** The body cannot go on. The message is for people and names no path. */
    final class Failed extends Exception {
        Failed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Runs to the end; called again after a process that died, it goes on where that one was. */
    void run(Progress progress) throws Stopped, Failed;
}
