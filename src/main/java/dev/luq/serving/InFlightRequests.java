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
 * INVARIANT: a request is among {@code running} from its permit until it is removed there. Whoever removes it ends its
 * stream, once. Frames of a process that is not the current one are ignored.
 */
final class InFlightRequests {

    private static final Logger LOG = Logger.getLogger(InFlightRequests.class);

    /** How often {@link DispatchQueue} is asked again while requests wait in it, at least. */
    private static final long DISPATCH_MILLIS = 200;

    private final String modelId;
    private final WorkerConfig config;
    private final ScheduledExecutorService timer;
    private final Quarantine quarantine;
    private final Supplier<WorkerProcess> process;
    private final Object lock;

    // all below guarded by lock
    private final Permits running;
    private final DispatchQueue queue;
    /** Whether {@link #dispatch} will be called. */
    private boolean dispatching;
    /** Cancelled in the worker, not confirmed yet: id to content key. */
    private final Map<String, String> cancelling = new HashMap<>();

    /**
     * @param slots of the model
     * @param quarantine may be shared with other workers of the same model
     * @param process gives the current process, or null while there is none; called with the lock
     * @param lock of the worker: a process and what it works on change together. Notified when no request is left
     */
    InFlightRequests(
            String modelId,
            WorkerConfig config,
            int slots,
            ScheduledExecutorService timer,
            Quarantine quarantine,
            Supplier<WorkerProcess> process,
            Object lock) {
        this.modelId = modelId;
        this.config = config;
        this.timer = timer;
        this.quarantine = quarantine;
        this.process = process;
        this.lock = lock;
        this.running = new Permits(modelId, config, slots, quarantine);
        this.queue = new DispatchQueue(config.restart().probation().toNanos(), System.nanoTime());
    }

    /** Requests that hold a permit. The caller has the lock. */
    int size() {
        return running.size();
    }

    /**
     * Begins to work on a request, whose stream's end the caller reports to {@link #abandoned}. The caller has the lock.
     *
     * @return null, or why it is not done; nothing was said to the stream then
     */
    Permits.Refusal admit(InFlightRequest request) {
        if (cancelling.containsKey(request.id())) {
            return Permits.duplicate();
        }
        running.preempted(request).forEach(this::preempt);
        Permits.Refusal refusal = running.acquire(request);
        if (refusal == null) {
            request.admitted(this);
            request.deadline(timer.schedule(
                    () -> deadlineReached(request), request.remainingMillis(config.deadline()), TimeUnit.MILLISECONDS));
            queue.add(request, quarantine.isolates(request.contentKey), System.nanoTime());
            dispatch();
        }
        return refusal;
    }

    /** Gives the worker what it may run now. The caller has the lock. */
    private void dispatch() {
        WorkerProcess current = process.get();
        if (current != null) {
            queue.next(System.nanoTime(), cancelling.isEmpty()).forEach(next -> current.send(next.frame));
        }
        if (queue.isWaiting() && !dispatching) {
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

    /** Ends a request whose permit another one gets, and what it holds in the worker counts as that one's. */
    private void preempt(InFlightRequest request) {
        if (stop(request, Permits.Holding.NOTHING)) {
            // Not on this thread, which has the lock: the stream calls its subscriber.
            timer.execute(() -> request.refuse(running.preemption()));
        }
    }

    /**
     * The caller has the lock.
     *
     * @return whether it took the permit back and so has to end the stream
     */
    private boolean release(InFlightRequest request) {
        if (!running.release(request)) {
            return false;
        }
        request.stopDeadline();
        if (running.size() == 0) {
            lock.notifyAll();
        }
        return true;
    }

    /** Like {@link #release}, for a request that the worker may still work on, which is cancelled there. */
    private boolean stop(InFlightRequest request) {
        synchronized (lock) {
            return stop(request, running.holding(request));
        }
    }

    /** @param held counted until the worker has confirmed that it holds nothing of the request any more */
    private boolean stop(InFlightRequest request, Permits.Holding held) {
        synchronized (lock) {
            WorkerProcess current = process.get();
            if (!release(request)) {
                return false;
            }
            boolean hasIt = queue.remove(request, System.nanoTime());
            if (hasIt && current != null && current.cancel(request.id())) {
                cancelling.put(request.id(), request.contentKey);
                running.leaves(request.id(), held);
                timer.schedule(
                        () -> endIfStalled(current, request.id()),
                        config.stallTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
            }
            dispatch();
        }
        return true;
    }

    /** The stream of a request is over: it is cancelled. */
    void abandoned(InFlightRequest request) {
        if (stop(request)) {
            request.ended("cancelled", null);
        }
    }

    private void deadlineReached(InFlightRequest request) {
        if (stop(request)) {
            request.fail(WorkerException.DeadlineExceeded.after(config.deadline()));
        }
    }

    private void endIfStalled(WorkerProcess stalled, String id) {
        synchronized (lock) {
            if (process.get() == stalled && cancelling.containsKey(id)) {
                LOG.errorf(
                        "Model %s: worker %d has not stopped a cancelled request for %d seconds and is ended",
                        modelId, stalled.pid(), config.stallTimeout().toSeconds());
                stalled.kill();
            }
        }
    }

    /** A generation that came to its end did not crash the worker; a query of the same prompt says nothing of that. */
    private void answered(InFlightRequest request) {
        if (!request.isQuery()) {
            quarantine.answered(request.contentKey);
        }
    }

    /** A frame about a request has come from a process. */
    void frame(WorkerProcess source, WorkerFrame.OfRequest frame) {
        InFlightRequest request;
        synchronized (lock) {
            if (process.get() != source) {
                return;
            }
            request = running.get(frame.id());
            if (frame instanceof WorkerFrame.Accepted) {
                running.accepted(frame.id());
            } else if (frame instanceof WorkerFrame.Delta) {
                running.answering(frame.id());
            }
            if (frame.ends()) {
                cancelling.remove(frame.id());
                running.left(frame.id());
                if (request != null) {
                    if (frame instanceof WorkerFrame.QueryResult) {
                        request.answer.begin(); // the next query has the place of this one
                    }
                    release(request);
                    queue.remove(request, System.nanoTime());
                }
                dispatch();
            }
        }
        if (request == null) {
            return;
        }
        if (frame instanceof WorkerFrame.Failed failed) {
            answered(request);
            request.fail(new WorkerException.Rejected(failed));
        } else if (frame.ends()) {
            answered(request);
            if (frame instanceof WorkerFrame.Finished finished) {
                request.ended(finished.finishReason(), finished);
            }
            request.stream.emit(frame);
            request.stream.complete();
        } else {
            if (frame instanceof WorkerFrame.Accepted accepted) {
                request.accepted(accepted);
            } else if (frame instanceof WorkerFrame.Delta) {
                request.token();
            }
            give(request, frame);
        }
    }

    /** Never waits for the reader of the stream, and never keeps more for it than configured. */
    private void give(InFlightRequest request, WorkerFrame.OfRequest frame) {
        if (request.unread.incrementAndGet() <= config.streamBuffer()) {
            request.stream.emit(frame);
        } else if (stop(request)) {
            request.ended("cancelled", null);
            request.stream.fail(new WorkerException.SlowReader(
                    "The answer was not read for too long: " + config.streamBuffer() + " pieces of it were waiting"));
        }
    }

    /**
     * The process that worked on them is gone. The caller has the lock.
     *
     * @param crashed whether what it worked on may have ended it
     * @return those whose streams the caller has to end
     */
    List<InFlightRequest> processEnded(Blackbox blackbox, ProcessExit exit, boolean crashed) {
        List<InFlightRequest> unanswered = running.all();
        if (crashed) {
            quarantine(blackbox, exit, unanswered);
        }
        unanswered.forEach(request -> {
            release(request);
            queue.remove(request, System.nanoTime());
        });
        cancelling.keySet().forEach(running::left);
        cancelling.clear();
        return unanswered;
    }

    /** What the worker worked on when it crashed is isolated from now on; what was isolated and ran alone is refused. */
    private void quarantine(Blackbox blackbox, ProcessExit exit, List<InFlightRequest> unanswered) {
        List<Blackbox.Work> works = blackbox.read();
        Optional<String> thread = exit.crash().flatMap(CrashReport::thread);
        List<Blackbox.Work> ofThread = works.stream()
                .filter(work -> thread.equals(Optional.of(work.thread())))
                .toList();
        Set<String> workedOn = (ofThread.isEmpty() ? works : ofThread)
                .stream().flatMap(work -> work.subjects().stream()).collect(Collectors.toSet());
        for (InFlightRequest request : unanswered) {
            if (workedOn.contains(request.id()) || !blackbox.isKept()) {
                boolean alone =
                        cancelling.isEmpty() && queue.isAlone(request) && quarantine.isolates(request.contentKey);
                quarantine.crashed(request.contentKey, alone);
                LOG.warnf(
                        "Model %s: request %s was worked on when the worker crashed and is %s",
                        modelId, request.id(), alone ? "refused from now on" : "run alone when it comes again");
            }
        }
        cancelling.forEach((id, contentKey) -> {
            if (workedOn.contains(id) || !blackbox.isKept()) {
                quarantine.crashed(contentKey, false);
            }
        });
    }

    /** Fails all of them: the server stops. */
    void giveUp() {
        List<InFlightRequest> all;
        synchronized (lock) {
            all = running.all();
        }
        for (InFlightRequest request : all) {
            if (stop(request)) {
                request.fail(WorkerException.NotReady.stopping());
            }
        }
    }
}
