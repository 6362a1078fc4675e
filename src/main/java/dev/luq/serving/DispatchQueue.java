package dev.luq.serving;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which of the requests that hold a permit are given to the worker: all at once, but for those that {@link Quarantine}
 * isolates, which run one at a time and alone. An isolated request first waits for a moment in which nothing runs. After
 * {@link #PATIENCE} new requests wait, until those that run have ended and until it has ended itself, each time no longer
 * than a limit. Beyond that limit requests run beside it, and a crash proves nothing against it. Thereafter no request
 * waits for an isolated one for as long as requests have waited. Times are {@link System#nanoTime()}. Not thread-safe:
 * guarded by its owner.
 */
final class DispatchQueue {

    /** How long an isolated request waits for a moment in which nothing runs, before it makes others wait. Nanoseconds. */
    static final long PATIENCE = 2_000_000_000L;

    private record Waiting(InFlightRequest request, boolean isolated, long since) {}

    private final long limit;
    private final List<Waiting> waiting = new ArrayList<>();
    private final Set<InFlightRequest> running = new LinkedHashSet<>();
    /** The isolated request that runs alone; null for none. */
    private InFlightRequest alone;

    private long aloneSince;
    /** Since when others have waited for it. */
    private long heldSince;
    /** Whether new requests wait for those that run to end. */
    private boolean closed;

    private long closedSince;
    /** Until then no isolated request makes others wait. */
    private long openUntil;

    /**
     * @param limit longest time that others wait in a row, in nanoseconds
     * @param now any time not after the first one given to {@link #add}
     */
    DispatchQueue(long limit, long now) {
        this.limit = limit;
        this.openUntil = now;
    }

    /** @param isolated whether the request has to run alone */
    void add(InFlightRequest request, boolean isolated, long now) {
        waiting.add(new Waiting(request, isolated, now));
    }

    /**
     * @param quiet whether the worker has stopped everything that it was told to stop
     * @return the requests to be given to the worker now, in this order
     */
    List<InFlightRequest> next(long now, boolean quiet) {
        if (alone != null) {
            if (now - aloneSince < limit) {
                return List.of();
            }
            isolationEnded(now);
        }
        closed &= firstIsolated().isPresent();
        List<InFlightRequest> next = new ArrayList<>();
        if (closed && now - closedSince >= limit) {
            firstIsolated().ifPresent(isolated -> dispatch(isolated, next));
            closed = false;
            openUntil = now + limit;
        }
        if (!closed) {
            waiting.stream().filter(one -> !one.isolated()).toList().forEach(one -> dispatch(one, next));
        }
        firstIsolated().ifPresent(isolated -> {
            if (running.isEmpty() && quiet) {
                dispatch(isolated, next);
                alone = isolated.request();
                aloneSince = now;
                heldSince = closed ? closedSince : now;
                closed = false;
            } else if (!closed && now - isolated.since() >= PATIENCE && now - openUntil >= 0) {
                closed = true;
                closedSince = now;
            }
        });
        return next;
    }

    private Optional<Waiting> firstIsolated() {
        return waiting.stream().filter(Waiting::isolated).findFirst();
    }

    private void dispatch(Waiting one, List<InFlightRequest> next) {
        waiting.remove(one);
        running.add(one.request());
        next.add(one.request());
    }

    private void isolationEnded(long now) {
        alone = null;
        openUntil = now + (now - heldSince);
    }

    /**
     * The request has ended or is cancelled.
     *
     * @return whether it was given to the worker
     */
    boolean remove(InFlightRequest request, long now) {
        if (alone == request) {
            isolationEnded(now);
        }
        waiting.removeIf(one -> one.request() == request);
        return running.remove(request);
    }

    /** Whether {@link #next} is to be asked again soon even if nothing else happens. */
    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** Whether the worker has this request and no other. */
    boolean isAlone(InFlightRequest request) {
        return running.size() == 1 && running.contains(request);
    }
}
