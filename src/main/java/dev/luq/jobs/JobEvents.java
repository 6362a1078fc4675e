package dev.luq.jobs;

import io.smallrye.mutiny.subscription.MultiEmitter;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Brings changes of jobs to those who watch them. Thread-safe. */
public final class JobEvents {

    /** Tells this run of the server from others, whose event numbers may be the same. */
    private final String run = Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);

    // guarded by this
    private final Map<String, Long> revisions = new HashMap<>();
    private final Map<String, Set<MultiEmitter<? super Event>>> watchers = new HashMap<>();

    /**
     * A state of a job.
     *
     * @param id differs from that of every other state of this job
     * @param job as it was then
     */
    public record Event(String id, Job job) {}

    JobEvents() {}

    /** Called in the order of changes. */
    synchronized void publish(Job job) {
        revisions.merge(job.id(), 1L, Long::sum);
        Event event = event(job);
        Set<MultiEmitter<? super Event>> ofJob = watchers.getOrDefault(job.id(), Set.of());
        for (MultiEmitter<? super Event> watcher : List.copyOf(ofJob)) {
            watcher.emit(event);
            if (isOver(job)) {
                watcher.complete();
            }
        }
    }

    private Event event(Job job) {
        return new Event(run + "-" + revisions.getOrDefault(job.id(), 0L), job);
    }

    /** Whether nothing more will happen to a job by itself. */
    static boolean isOver(Job job) {
        return job.state().isFinal() && !isAwaited(job);
    }

    /** Whether a job succeeded and its result is to be served, but is not yet. */
    static boolean isAwaited(Job job) {
        return job.state() == JobState.SUCCEEDED
                && job.activation()
                        .filter(a -> !a.done() && a.error().isEmpty())
                        .isPresent();
    }

    /** A job that is over is gone. */
    synchronized void forget(String id) {
        revisions.remove(id);
    }

    /** Gives a watcher the present state and, until it is over, the later ones. No change takes place meanwhile. */
    void watch(Job now, MultiEmitter<? super Event> watcher) {
        synchronized (this) {
            watcher.emit(event(now));
            if (isOver(now)) {
                watcher.complete();
                return;
            }
            watchers.computeIfAbsent(now.id(), i -> new HashSet<>()).add(watcher);
        }
        watcher.onTermination(() -> leave(now.id(), watcher));
    }

    private synchronized void leave(String id, MultiEmitter<? super Event> watcher) {
        Set<MultiEmitter<? super Event>> ofJob = watchers.get(id);
        if (ofJob != null && ofJob.remove(watcher) && ofJob.isEmpty()) {
            watchers.remove(id);
        }
    }
}
