package dev.luq.bench.soak;

import java.util.ArrayList;
import java.util.List;

/** When workers were killed and when their successors served. Times are those of {@link System#nanoTime()}. Thread-safe. */
final class Deaths {

    /** The server may need a moment to see that a worker is gone, and to say that the next one is there. */
    private static final long MARGIN_NANOS = 5_000_000_000L;

    private static final class Gap {
        final long killed;
        long back = Long.MAX_VALUE;

        Gap(long killed) {
            this.killed = killed;
        }
    }

    private final List<Gap> gaps = new ArrayList<>();

    /** To be told before the signal is sent. */
    synchronized void killed(long now) {
        gaps.add(new Gap(now));
    }

    synchronized void back(long now) {
        gaps.get(gaps.size() - 1).back = now + MARGIN_NANOS;
    }

    synchronized int count() {
        return gaps.size();
    }

    /** Whether the model was away at some time of this span. */
    synchronized boolean within(long from, long to) {
        return gaps.stream().anyMatch(gap -> gap.killed <= to && gap.back >= from);
    }
}
