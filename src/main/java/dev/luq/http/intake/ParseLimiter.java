package dev.luq.http.intake;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Bounds how many large bodies are parsed at the same time, so that they leave threads to everything else. A body that
 * waits holds no thread. Thread-safe.
 */
final class ParseLimiter {

    private final Deque<Permit> waiting = new ArrayDeque<>();
    private int free;

    /** @param most permits at the same time */
    ParseLimiter(int most) {
        this.free = most;
    }

    /**
     * @param begins called once when the permit is given, on this thread or the one that ended another permit; never when
     *        this one is ended before that
     */
    Permit take(Runnable begins) {
        Permit permit = new Permit(begins);
        synchronized (this) {
            if (free == 0) {
                waiting.add(permit);
                return permit;
            }
            free--;
            permit.begun = true;
        }
        begins.run();
        return permit;
    }

    /** Of one body. */
    final class Permit {
        private final Runnable begins;
        private boolean begun;
        private boolean ended;

        private Permit(Runnable begins) {
            this.begins = begins;
        }

        /** Lets the next one begin. Once is enough, more does no harm. */
        void end() {
            Permit next;
            synchronized (ParseLimiter.this) {
                if (ended) {
                    return;
                }
                ended = true;
                if (!begun) {
                    waiting.remove(this);
                    return;
                }
                next = waiting.poll();
                if (next == null) {
                    free++;
                    return;
                }
                next.begun = true;
            }
            next.begins.run();
        }
    }
}
