package dev.luq.serving;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which of the generations that hold a permit the worker has: all of them, unless one is suspected of killing workers.
 * That one is worked on alone. It lets others pass for a moment, then they wait: first until those before it have ended,
 * then for the suspect, each time for a bounded time. A suspect for which that does not suffice goes on beside the
 * others, and its guilt stays open. Thereafter the others have at least as long for themselves. Times are
 * {@link System#nanoTime()}. Not thread-safe: guarded by its owner.
 */
final class Probation {

    /** How long a suspect waits for a moment in which nothing else runs, before it makes others wait. */
    static final long PATIENCE = 2_000_000_000L;

    private record Waiting(Generation generation, boolean suspect, long since) {
    }

    private final long limit;
    private final List<Waiting> waiting = new ArrayList<>();
    private final Set<Generation> working = new LinkedHashSet<>();
    /** The suspect that is worked on alone; null for none. */
    private Generation alone;
    private long aloneSince;
    /** Since when others have waited for it. */
    private long heldSince;
    /** Whether new ones wait for those that are worked on to end. */
    private boolean closed;
    private long closedSince;
    /** Until then no suspect makes others wait. */
    private long openUntil;

    /**
     * @param limit longest time that others wait in a row, in nanoseconds
     * @param now any time not after the first one given to {@link #add}
     */
    Probation(long limit, long now) {
        this.limit = limit;
        this.openUntil = now;
    }

    /** One that got its permit. */
    void add(Generation generation, boolean suspect, long now) {
        waiting.add(new Waiting(generation, suspect, now));
    }

    /**
     * @param quiet whether the worker has stopped everything that it was told to stop
     * @return those that the worker gets now, in this order
     */
    List<Generation> next(long now, boolean quiet) {
        if (alone != null) {
            if (now - aloneSince < limit) {
                return List.of();
            }
            ownTimeEnded(now);
        }
        closed &= firstSuspect().isPresent();
        List<Generation> next = new ArrayList<>();
        if (closed && now - closedSince >= limit) {
            firstSuspect().ifPresent(suspect -> go(suspect, next));
            closed = false;
            openUntil = now + limit;
        }
        if (!closed) {
            waiting.stream().filter(one -> !one.suspect()).toList().forEach(one -> go(one, next));
        }
        firstSuspect().ifPresent(suspect -> {
            if (working.isEmpty() && quiet) {
                go(suspect, next);
                alone = suspect.generation();
                aloneSince = now;
                heldSince = closed ? closedSince : now;
                closed = false;
            } else if (!closed && now - suspect.since() >= PATIENCE && now - openUntil >= 0) {
                closed = true;
                closedSince = now;
            }
        });
        return next;
    }

    private Optional<Waiting> firstSuspect() {
        return waiting.stream().filter(Waiting::suspect).findFirst();
    }

    private void go(Waiting one, List<Generation> next) {
        waiting.remove(one);
        working.add(one.generation());
        next.add(one.generation());
    }

    private void ownTimeEnded(long now) {
        alone = null;
        openUntil = now + (now - heldSince);
    }

    /** One that needs the worker no more. @return whether the worker has it */
    boolean remove(Generation generation, long now) {
        if (alone == generation) {
            ownTimeEnded(now);
        }
        waiting.removeIf(one -> one.generation() == generation);
        return working.remove(generation);
    }

    /** Whether {@link #next} is to be asked again soon even if nothing else happens. */
    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** Whether the worker has this one and no other. */
    boolean isAlone(Generation generation) {
        return working.size() == 1 && working.contains(generation);
    }
}
