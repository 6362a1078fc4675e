package dev.luq.http.intake;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Bounds how many large bodies are parsed at the same time, so that they leave threads to everything else. Who waits for a
 * turn holds no thread. Thread-safe.
 */
final class ParseTurns {

    private final Deque<Turn> waiting = new ArrayDeque<>();
    private int free;

    /** @param most turns at the same time */
    ParseTurns(int most) {
        this.free = most;
    }

    /**
     * @param begins called once when it is this one's turn, on this thread or that of whoever ended before; never when it
     *        is ended before that
     */
    Turn take(Runnable begins) {
        Turn turn = new Turn(begins);
        synchronized (this) {
            if (free == 0) {
                waiting.add(turn);
                return turn;
            }
            free--;
            turn.begun = true;
        }
        begins.run();
        return turn;
    }

    /** One body's. */
    final class Turn {
        private final Runnable begins;
        private boolean begun;
        private boolean ended;

        private Turn(Runnable begins) {
            this.begins = begins;
        }

        /** Lets the next one begin. Once is enough, more does no harm. */
        void end() {
            Turn next;
            synchronized (ParseTurns.this) {
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
