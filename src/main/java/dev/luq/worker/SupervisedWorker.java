package dev.luq.worker;

import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * A process that serves certain files of a model, its successors when it dies, and the requests it works on.
 * <pre>
 *            start                ready                  died
 *  (new) ----------> LOADING ------------> READY ------------------> RESTARTING --+
 *                     |  ^ died               ^          ready                     | died
 *         load failed |  +-- after a pause    +------------------------------------+-- after a pause
 *                     v
 *                   FAILED        any state but FAILED -- drain --> DRAINING
 * </pre>
 * INVARIANT: a generation is among {@code running} from its permit until whoever removes it there: that one ends its
 * stream, and nobody else does. Events of a process that is not the current one are ignored.
 */
final class SupervisedWorker implements ModelWorker, WorkerProcess.Events {

    private static final Logger LOG = Logger.getLogger(SupervisedWorker.class);

    /** Starts a process for this model. */
    interface Launcher {
        WorkerProcess start(String modelId, WorkerProcess.Events events) throws IOException;
    }

    private final String modelId;
    private final ServerFrame.Load load;
    private final WorkerConfig config;
    private final Launcher launcher;
    private final ScheduledExecutorService timer;
    private final GenerationListener listener;
    private final RestartPolicy restartPolicy;
    private final Quarantine quarantine;
    private final Runnable released;
    private final AtomicBoolean ended = new AtomicBoolean();

    // all below guarded by this
    private final Permits running;
    /** Cancelled in the worker, not confirmed yet: id to content key. */
    private final Map<String, String> cancelling = new HashMap<>();
    private State state = State.LOADING;
    private WorkerProcess process;
    private WorkerFrame.ModelInfo info;
    private WorkerFrame.EngineStats stats;
    private WorkerFrame.EngineStats past = Totals.NONE;
    private String failure;
    private long restarts;

    /**
     * @param quarantine may be shared with other workers of the same model
     * @param released run once, when its last process is gone for good
     */
    SupervisedWorker(String modelId, ServerFrame.Load load, WorkerConfig config, Launcher launcher,
            ScheduledExecutorService timer, GenerationListener listener, Quarantine quarantine, Runnable released) {
        this.modelId = modelId;
        this.load = load;
        this.config = config;
        this.launcher = launcher;
        this.timer = timer;
        this.listener = listener;
        this.restartPolicy = new RestartPolicy(config.restart());
        this.quarantine = quarantine;
        this.released = released;
        this.running = new Permits(modelId, config, quarantine);
    }

    /** Starts the first process. */
    synchronized void start() {
        if (state == State.DRAINING) {
            return;
        }
        try {
            process = launcher.start(modelId, this);
            process.send(load);
            LOG.infof("Model %s: worker %d starts", modelId, process.pid());
        } catch (IOException | RuntimeException e) {
            LOG.error("A worker cannot be started", e);
            fail("Its process cannot be started; the server's log says why.");
        }
    }

    /** Makes the model unavailable for good. */
    synchronized void fail(String reason) {
        failure = reason;
        state = State.FAILED;
        notifyAll();
        LOG.errorf("Model %s cannot be served: %s", modelId, reason);
    }

    @Override
    public String modelId() {
        return modelId;
    }

    @Override
    public synchronized State state() {
        return state;
    }

    @Override
    public synchronized Optional<WorkerFrame.ModelInfo> info() {
        return Optional.ofNullable(info);
    }

    @Override
    public synchronized Optional<WorkerFrame.EngineStats> stats() {
        return Optional.ofNullable(stats);
    }

    @Override
    public synchronized WorkerFrame.EngineStats totals() {
        return stats == null ? past : Totals.sum(past, stats);
    }

    @Override
    public synchronized Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public synchronized long restarts() {
        return restarts;
    }

    @Override
    public synchronized int inFlight() {
        return running.size();
    }

    @Override
    public synchronized Optional<Long> pid() {
        return Optional.ofNullable(process).map(WorkerProcess::pid);
    }

    @Override
    public Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate request) {
        return generate(request, listener);
    }

    /** @param told about this generation */
    Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate request, GenerationListener told) {
        return Generation.stream(modelId, request, told, generation -> {
            Permits.Refusal refusal = admit(generation);
            if (refusal == null) {
                generation.stream.onTermination(() -> abandoned(generation));
            } else {
                generation.refuse(refusal);
            }
        });
    }

    /**
     * Begins to work on a generation, whose stream's end the caller reports to {@link #abandoned}.
     *
     * @return null, or why it is not done; nothing was said to the stream then
     */
    synchronized Permits.Refusal admit(Generation generation) {
        Permits.Refusal refusal = refusal();
        if (refusal == null && cancelling.containsKey(generation.id())) {
            refusal = Permits.duplicate();
        }
        if (refusal == null) {
            running.givingWayTo(generation).forEach(this::displace);
            refusal = running.take(generation);
        }
        if (refusal == null) {
            generation.worker(this);
            generation.deadline(timer.schedule(() -> deadlineReached(generation),
                    generation.remainingMillis(config.deadline()), TimeUnit.MILLISECONDS));
            process.send(generation.request);
        }
        return refusal;
    }

    /** Ends a generation whose place somebody else gets. */
    private void displace(Generation victim) {
        if (stop(victim)) {
            // Not on this thread: what follows is none of the lock's business.
            timer.execute(() -> victim.refuse(running.displaced()));
        }
    }

    /** @return null when requests are served */
    private Permits.Refusal refusal() {
        return switch (state) {
            case READY -> null;
            case FAILED -> new Permits.Refusal("model_failed", new WorkerException.NotReady(state,
                    "The model " + modelId + " cannot be served: " + failure));
            case DRAINING -> new Permits.Refusal("draining", new WorkerException.NotReady(state, "The server is stopping"));
            case RESTARTING -> new Permits.Refusal("worker_restarting", new WorkerException.NotReady(state,
                    "The model " + modelId + " is being restarted; try again shortly"));
            default -> new Permits.Refusal("model_loading", new WorkerException.NotReady(state,
                    "The model " + modelId + " is still loading; try again shortly"));
        };
    }

    /** @return whether the caller took the permit back and so has to end the stream */
    private synchronized boolean release(Generation generation) {
        if (!running.giveBack(generation)) {
            return false;
        }
        generation.stopDeadline();
        if (running.size() == 0) {
            notifyAll();
        }
        return true;
    }

    /** Like {@link #release}, for a generation that the worker still works on. */
    private boolean stop(Generation generation) {
        synchronized (this) {
            WorkerProcess current = process;
            if (!release(generation)) {
                return false;
            }
            if (current != null && current.cancel(generation.id())) {
                cancelling.put(generation.id(), generation.contentKey);
                timer.schedule(() -> endIfStalled(current, generation.id()), config.stallTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
            }
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

    private synchronized void endIfStalled(WorkerProcess stalled, String id) {
        if (process == stalled && cancelling.containsKey(id)) {
            LOG.errorf("Model %s: worker %d has not stopped a cancelled request for %d seconds and is ended", modelId,
                    stalled.pid(), config.stallTimeout().toSeconds());
            stalled.kill();
        }
    }

    @Override
    public void frame(WorkerProcess source, WorkerFrame frame) {
        if (frame instanceof WorkerFrame.OfRequest ofRequest) {
            ofRequest(source, ofRequest);
            return;
        }
        synchronized (this) {
            if (process != source) {
                return;
            }
            if (frame instanceof WorkerFrame.Ready ready) {
                info = ready.info();
                restartPolicy.ready(System.nanoTime());
                if (state != State.DRAINING) {
                    state = State.READY;
                }
                notifyAll();
                LOG.infof("Model %s is ready: %s, %s, %d MiB", modelId, info.architecture(), info.quantization(),
                        info.modelBytes() >> 20);
            } else if (frame instanceof WorkerFrame.LoadFailed loadFailed && state != State.DRAINING) {
                fail(loadFailed.message());
            } else if (frame instanceof WorkerFrame.Stats update) {
                stats = update.stats();
            }
        }
    }

    private void ofRequest(WorkerProcess source, WorkerFrame.OfRequest frame) {
        boolean last = frame instanceof WorkerFrame.Finished || frame instanceof WorkerFrame.Failed;
        Generation generation;
        synchronized (this) {
            if (process != source) {
                return;
            }
            generation = running.get(frame.id());
            if (last) {
                cancelling.remove(frame.id());
            }
        }
        if (generation == null || last && !release(generation)) {
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

    @Override
    public void ended(WorkerProcess source, ProcessExit exit) {
        List<Generation> victims;
        State before;
        synchronized (this) {
            if (process != source) {
                return;
            }
            before = state;
            process = null;
            past = Totals.counters(totals());
            stats = null;
            victims = running.all();
            victims.forEach(this::release);
            if (before != State.DRAINING) {
                victims.forEach(victim -> quarantine.blame(victim.contentKey));
                cancelling.values().forEach(quarantine::blame);
            }
            cancelling.clear();
            notifyAll();
            if (before != State.FAILED && before != State.DRAINING) {
                died(source, exit);
            }
        }
        for (Generation victim : victims) {
            victim.fail(new WorkerException.Died("The model's process died while it worked on this request"));
        }
        if (before != State.FAILED && before != State.DRAINING) {
            listener.workerDied(modelId, exit.signal());
        }
    }

    private void died(WorkerProcess source, ProcessExit exit) {
        Optional<Duration> pause = restartPolicy.died(System.nanoTime());
        if (pause.isEmpty()) {
            fail("Its process died " + config.restart().loadAttempts() + " times while loading it (" + exit + ")");
            return;
        }
        state = info == null ? State.LOADING : State.RESTARTING;
        LOG.errorf("Model %s: worker %d died (%s); the next one starts in %d ms", modelId, source.pid(), exit,
                pause.get().toMillis());
        timer.schedule(this::restart, pause.get().toMillis(), TimeUnit.MILLISECONDS);
    }

    private synchronized void restart() {
        if (state == State.LOADING || state == State.RESTARTING) {
            restarts++;
            start();
        }
    }

    /** Refuses requests from now on. */
    synchronized void drain() {
        if (state != State.FAILED) {
            state = State.DRAINING;
        }
    }

    /** Fails the requests that are still running. */
    void giveUp() {
        List<Generation> late;
        synchronized (this) {
            late = running.all();
        }
        for (Generation generation : late) {
            if (stop(generation)) {
                generation.fail(new WorkerException.NotReady(State.DRAINING, "The server is stopping"));
            }
        }
    }

    /**
     * Waits until requests are served, or it is known that they never will be.
     *
     * @return whether they are
     */
    synchronized boolean awaitReady() throws InterruptedException {
        while (state != State.READY && state != State.FAILED && state != State.DRAINING) {
            wait();
        }
        return state == State.READY;
    }

    /**
     * Waits for running requests, then ends the process; {@link #drain} comes before.
     *
     * @param until {@link System#nanoTime()} at which running requests are given up
     */
    void end(long until) throws InterruptedException {
        WorkerProcess last;
        synchronized (this) {
            for (long left = until - System.nanoTime(); running.size() > 0 && left > 0; left = until - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            last = process;
        }
        giveUp();
        if (last != null) {
            last.close();
            if (!last.awaitExit(TimeUnit.SECONDS.toMillis(5))) {
                last.kill();
            }
        }
        if (!ended.getAndSet(true)) {
            released.run();
        }
    }
}
