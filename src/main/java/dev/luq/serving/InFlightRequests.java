package dev.luq.serving;

import dev.luq.process.CrashReport;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.WorkerFrame;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The requests that a {@link SupervisedWorker} has in flight, across the processes that work on them: permits, deadlines,
 * dispatch to the process, cancellation, and the frames that come back.
 * INVARIANT: a generation is among {@code running} from its permit until whoever removes it there: that one ends its
 * stream, and nobody else does. Frames of a process that is not the current one are ignored.
 */
final class InFlightRequests {

    private static final Logger LOG = Logger.getLogger(InFlightRequests.class);

    /** How long it may take until somebody who waits for a suspect is thought of, where no other event does it. */
    private static final long DISPATCH_MILLIS = 200;

    private final String modelId;
    private final WorkerConfig config;
    private final ScheduledExecutorService timer;
    private final Quarantine quarantine;
    private final Supplier<WorkerProcess> process;
    private final Object lock;

    // all below guarded by lock
    private final Permits running;
    private final Probation probation;
    /** Whether {@link #dispatch} will be called. */
    private boolean dispatching;
    /** Cancelled in the worker, not confirmed yet: id to content key. */
    private final Map<String, String> cancelling = new HashMap<>();

    /**
     * @param quarantine may be shared with other workers of the same model
     * @param process gives the current process, or null while there is none; called with the lock
     * @param lock of the worker: a process and what it works on change together. Notified when no request is left
     */
    InFlightRequests(String modelId, WorkerConfig config, ScheduledExecutorService timer, Quarantine quarantine,
            Supplier<WorkerProcess> process, Object lock) {
        this.modelId = modelId;
        this.config = config;
        this.timer = timer;
        this.quarantine = quarantine;
        this.process = process;
        this.lock = lock;
        this.running = new Permits(modelId, config, quarantine);
        this.probation = new Probation(config.restart().probation().toNanos(), System.nanoTime());
    }

    /** Requests that hold a permit. The caller has the lock. */
    int size() {
        return running.size();
    }

    /**
     * Begins to work on a generation, whose stream's end the caller reports to {@link #abandoned}. The caller has the lock.
     *
     * @return null, or why it is not done; nothing was said to the stream then
     */
    Permits.Refusal admit(Generation generation) {
        if (cancelling.containsKey(generation.id())) {
            return Permits.duplicate();
        }
        running.givingWayTo(generation).forEach(this::displace);
        Permits.Refusal refusal = running.take(generation);
        if (refusal == null) {
            generation.admitted(this);
            generation.deadline(timer.schedule(() -> deadlineReached(generation),
                    generation.remainingMillis(config.deadline()), TimeUnit.MILLISECONDS));
            probation.add(generation, quarantine.suspects(generation.contentKey), System.nanoTime());
            dispatch();
        }
        return refusal;
    }

    /** Gives the worker what it may work on now. The caller has the lock. */
    private void dispatch() {
        WorkerProcess current = process.get();
        if (current != null) {
            probation.next(System.nanoTime(), cancelling.isEmpty()).forEach(next -> current.send(next.request));
        }
        if (probation.isWaiting() && !dispatching) {
            dispatching = true;
            timer.schedule(this::dispatchLater, DISPATCH_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void dispatchLater() {
        synchronized (lock) {
            dispatching = false;
            dispatch();
        }
    }

    /** Ends a generation whose place somebody else gets. */
    private void displace(Generation victim) {
        if (stop(victim)) {
            // Not on this thread: what follows is none of the lock's business.
            timer.execute(() -> victim.refuse(running.displaced()));
        }
    }

    /** The caller has the lock. @return whether it took the permit back and so has to end the stream */
    private boolean release(Generation generation) {
        if (!running.giveBack(generation)) {
            return false;
        }
        generation.stopDeadline();
        if (running.size() == 0) {
            lock.notifyAll();
        }
        return true;
    }

    /** Like {@link #release}, for a generation that the worker may still work on. */
    private boolean stop(Generation generation) {
        synchronized (lock) {
            WorkerProcess current = process.get();
            if (!release(generation)) {
                return false;
            }
            boolean hasIt = probation.remove(generation, System.nanoTime());
            if (hasIt && current != null && current.cancel(generation.id())) {
                cancelling.put(generation.id(), generation.contentKey);
                timer.schedule(() -> endIfStalled(current, generation.id()), config.stallTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
            }
            dispatch();
        }
        return true;
    }

    /** The stream of a generation is over: what is still done for it is stopped. */
    void abandoned(Generation generation) {
        if (stop(generation)) {
            generation.ended("cancelled", null);
        }
    }

    private void deadlineReached(Generation generation) {
        if (stop(generation)) {
            generation.fail(WorkerException.DeadlineExceeded.after(config.deadline()));
        }
    }

    private void endIfStalled(WorkerProcess stalled, String id) {
        synchronized (lock) {
            if (process.get() == stalled && cancelling.containsKey(id)) {
                LOG.errorf("Model %s: worker %d has not stopped a cancelled request for %d seconds and is ended", modelId,
                        stalled.pid(), config.stallTimeout().toSeconds());
                stalled.kill();
            }
        }
    }

    /** A frame about a request has come from a process. */
    void frame(WorkerProcess source, WorkerFrame.OfRequest frame) {
        boolean last = frame instanceof WorkerFrame.Finished || frame instanceof WorkerFrame.Failed;
        Generation generation;
        synchronized (lock) {
            if (process.get() != source) {
                return;
            }
            generation = running.get(frame.id());
            if (frame instanceof WorkerFrame.Accepted) {
                running.accepted(frame.id());
            }
            if (last) {
                cancelling.remove(frame.id());
                if (generation != null) {
                    release(generation);
                    probation.remove(generation, System.nanoTime());
                }
                dispatch();
            }
        }
        if (generation == null) {
            return;
        }
        if (frame instanceof WorkerFrame.Failed failed) {
            quarantine.acquit(generation.contentKey);
            generation.fail(new WorkerException.Rejected(failed.code(), failed.message(), failed.param()));
        } else if (frame instanceof WorkerFrame.Finished finished) {
            quarantine.acquit(generation.contentKey);
            generation.ended(finished.finishReason(), finished);
            generation.stream.emit(finished);
            generation.stream.complete();
        } else {
            if (frame instanceof WorkerFrame.Accepted accepted) {
                generation.accepted(accepted);
            } else {
                generation.token();
            }
            give(generation, frame);
        }
    }

    /** Never waits for the reader of the stream, and never keeps more for it than configured. */
    private void give(Generation generation, WorkerFrame.OfRequest frame) {
        if (generation.unread.incrementAndGet() <= config.streamBuffer()) {
            generation.stream.emit(frame);
        } else if (stop(generation)) {
            generation.ended("cancelled", null);
            generation.stream.fail(new WorkerException.SlowReader(
                    "The answer was not read for too long: " + config.streamBuffer() + " pieces of it were waiting"));
        }
    }

    /**
     * The process that worked on them is gone. The caller has the lock.
     *
     * @param blamed whether what it worked on may have ended it
     * @return those whose streams the caller has to end
     */
    List<Generation> lost(Blackbox blackbox, ProcessExit exit, boolean blamed) {
        List<Generation> victims = running.all();
        if (blamed) {
            blame(blackbox, exit, victims);
        }
        victims.forEach(victim -> {
            release(victim);
            probation.remove(victim, System.nanoTime());
        });
        cancelling.clear();
        return victims;
    }

    /** Whatever the worker worked on when it died is suspected; a suspect that it had to itself is guilty. */
    private void blame(Blackbox blackbox, ProcessExit exit, List<Generation> victims) {
        List<Blackbox.Work> works = blackbox.read();
        Optional<String> thread = exit.crash().flatMap(CrashReport::thread);
        List<Blackbox.Work> ofThread = works.stream().filter(work -> thread.equals(Optional.of(work.thread()))).toList();
        Set<String> workedOn = (ofThread.isEmpty() ? works : ofThread).stream()
                .flatMap(work -> work.subjects().stream()).collect(Collectors.toSet());
        for (Generation victim : victims) {
            if (workedOn.contains(victim.id()) || !blackbox.isKept()) {
                boolean alone = cancelling.isEmpty() && probation.isAlone(victim) && quarantine.suspects(victim.contentKey);
                quarantine.blame(victim.contentKey, alone);
                LOG.warnf("Model %s: request %s was worked on when the worker died and is %s", modelId, victim.id(), alone
                        ? "refused from now on" : "worked on alone when it comes again");
            }
        }
        cancelling.forEach((id, contentKey) -> {
            if (workedOn.contains(id) || !blackbox.isKept()) {
                quarantine.blame(contentKey, false);
            }
        });
    }

    /** Fails all of them: the server stops. */
    void giveUp() {
        List<Generation> late;
        synchronized (lock) {
            late = running.all();
        }
        for (Generation generation : late) {
            if (stop(generation)) {
                generation.fail(new WorkerException.NotReady(ModelWorker.State.DRAINING, "The server is stopping"));
            }
        }
    }
}
