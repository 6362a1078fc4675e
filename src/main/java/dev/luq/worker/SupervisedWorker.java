package dev.luq.worker;

import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * A model's process and the requests it works on.
 * <pre>
 *            start                ready                  died
 *  (new) ----------> LOADING ------------> READY ------------------> RESTARTING --+
 *                     |  ^ died               ^          ready                     | died
 *         load failed |  +-- after a pause    +------------------------------------+-- after a pause
 *                     v
 *                   FAILED        any state but FAILED -- drain --> DRAINING
 * </pre>
 * INVARIANT: a generation is in {@code running} from its permit until whoever removes it there: that one ends its
 * stream, and nobody else does. Events of a process that is not the current one are ignored.
 */
final class SupervisedWorker implements ModelWorker, WorkerProcess.Events {

    private static final Logger LOG = Logger.getLogger(SupervisedWorker.class);

    private static final WorkerFrame.EngineStats NONE =
            new WorkerFrame.EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

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

    // all below guarded by this
    private final Map<String, Generation> running = new HashMap<>();
    /** Cancelled in the worker, not confirmed yet: id to content key. */
    private final Map<String, String> cancelling = new HashMap<>();
    private long imageBytes;
    private State state = State.LOADING;
    private WorkerProcess process;
    private WorkerFrame.ModelInfo info;
    private WorkerFrame.EngineStats stats;
    private WorkerFrame.EngineStats past = NONE;
    private String failure;
    private long restarts;

    SupervisedWorker(String modelId, ServerFrame.Load load, WorkerConfig config, Launcher launcher,
            ScheduledExecutorService timer, GenerationListener listener) {
        this.modelId = modelId;
        this.load = load;
        this.config = config;
        this.launcher = launcher;
        this.timer = timer;
        this.listener = listener;
        this.restartPolicy = new RestartPolicy(config.restart());
        this.quarantine = new Quarantine(config.restart().suspects());
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
        return stats == null ? past : sum(past, stats);
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
        return Multi.createFrom().deferred(() -> {
            AtomicInteger unread = new AtomicInteger();
            return Multi.createFrom()
                    .<WorkerFrame.OfRequest>emitter(stream -> submit(new Generation(request, stream, unread)),
                            BackPressureStrategy.BUFFER) // bounded by give()
                    .onItem().invoke(unread::decrementAndGet);
        });
    }

    private void submit(Generation generation) {
        Refusal refusal;
        synchronized (this) {
            refusal = refusal(generation);
            if (refusal == null) {
                running.put(generation.id(), generation);
                imageBytes += generation.imageBytes;
                generation.deadline(timer.schedule(() -> deadlineReached(generation), config.deadline().toMillis(),
                        TimeUnit.MILLISECONDS));
                process.send(generation.request);
            }
        }
        if (refusal != null) {
            listener.rejected(modelId, refusal.reason);
            generation.stream.fail(refusal.exception);
            return;
        }
        generation.stream.onTermination(() -> abandoned(generation));
    }

    private record Refusal(String reason, WorkerException exception) {
    }

    /** @return null when the generation gets its permit */
    private Refusal refusal(Generation generation) {
        if (state != State.READY) {
            return switch (state) {
                case FAILED -> new Refusal("model_failed", new WorkerException.NotReady(state,
                        "The model " + modelId + " cannot be served: " + failure));
                case DRAINING -> new Refusal("draining", new WorkerException.NotReady(state, "The server is stopping"));
                case RESTARTING -> new Refusal("worker_restarting", new WorkerException.NotReady(state,
                        "The model " + modelId + " is being restarted; try again shortly"));
                default -> new Refusal("model_loading", new WorkerException.NotReady(state,
                        "The model " + modelId + " is still loading; try again shortly"));
            };
        }
        if (quarantine.refuses(generation.contentKey)) {
            return new Refusal("input_quarantined", new WorkerException.Quarantined(
                    "This input ended the model's process more than once and is not tried again"));
        }
        if (generation.imageBytes > config.imageBytesInFlight()) {
            return new Refusal("request_too_large", new WorkerException.Rejected("request_too_large",
                    "The images have " + generation.imageBytes + " bytes of pixels; at most "
                            + config.imageBytesInFlight() + " are accepted per request", "messages"));
        }
        if (running.size() >= config.slots() + config.queueSize()) {
            return new Refusal("queue_full", new WorkerException.QueueFull(
                    "The model " + modelId + " is busy: " + running.size() + " requests run or wait"));
        }
        if (imageBytes + generation.imageBytes > config.imageBytesInFlight()) {
            return new Refusal("queue_full", new WorkerException.QueueFull(
                    "The model " + modelId + " is busy with the images of other requests"));
        }
        if (running.containsKey(generation.id()) || cancelling.containsKey(generation.id())) {
            return new Refusal("duplicate_id", new WorkerException.Rejected("internal_error",
                    "A request with this id is in flight", null));
        }
        return null;
    }

    /** @return whether the caller took the permit back and so has to end the stream */
    private synchronized boolean release(Generation generation) {
        if (!running.remove(generation.id(), generation)) {
            return false;
        }
        imageBytes -= generation.imageBytes;
        generation.stopDeadline();
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

    private void abandoned(Generation generation) {
        if (stop(generation)) {
            ended(generation, "cancelled", null);
        }
    }

    private void deadlineReached(Generation generation) {
        if (stop(generation)) {
            ended(generation, "error", null);
            generation.stream.fail(new WorkerException.DeadlineExceeded(
                    "The request took longer than " + config.deadline().toSeconds() + " seconds"));
        }
    }

    private synchronized void endIfStalled(WorkerProcess stalled, String id) {
        if (process == stalled && cancelling.containsKey(id)) {
            LOG.errorf("Model %s: worker %d has not stopped a cancelled request for %d seconds and is ended", modelId,
                    stalled.pid(), config.stallTimeout().toSeconds());
            stalled.kill();
        }
    }

    private void ended(Generation generation, String reason, WorkerFrame.Finished finished) {
        listener.ended(modelId, reason, generation.age(), generation.accepted(), finished);
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
            ended(generation, "error", null);
            generation.stream.fail(new WorkerException.Rejected(failed.code(), failed.message(), failed.param()));
        } else if (frame instanceof WorkerFrame.Finished finished) {
            quarantine.acquit(generation.contentKey);
            ended(generation, finished.finishReason(), finished);
            generation.stream.emit(finished);
            generation.stream.complete();
        } else {
            if (frame instanceof WorkerFrame.Accepted accepted) {
                generation.accepted(accepted);
            } else {
                generation.token(modelId, listener);
            }
            give(generation, frame);
        }
    }

    /** Never waits for the reader of the stream, and never keeps more for it than configured. */
    private void give(Generation generation, WorkerFrame.OfRequest frame) {
        if (generation.unread.incrementAndGet() <= config.streamBuffer()) {
            generation.stream.emit(frame);
        } else if (stop(generation)) {
            ended(generation, "cancelled", null);
            generation.stream.fail(new WorkerException.SlowReader(
                    "The answer was not read for too long: " + config.streamBuffer() + " pieces of it were waiting"));
        }
    }

    @Override
    public void ended(WorkerProcess source, WorkerProcess.Exit exit) {
        List<Generation> victims;
        State before;
        synchronized (this) {
            if (process != source) {
                return;
            }
            before = state;
            process = null;
            past = totals();
            past = new WorkerFrame.EngineStats(0, 0, 0, 0, past.promptTokens(), past.generationTokens(),
                    past.prefixQueries(), past.prefixHits(), past.imageQueries(), past.imageHits(),
                    past.imagesEncoded(), past.imageEncodeMillis(), past.imageTokens(), past.cancelled());
            stats = null;
            victims = new ArrayList<>(running.values());
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
            ended(victim, "error", null);
            victim.stream.fail(new WorkerException.Died("The model's process died while it worked on this request"));
        }
        if (before != State.FAILED && before != State.DRAINING) {
            listener.workerDied(modelId, exit.signal());
        }
    }

    private void died(WorkerProcess source, WorkerProcess.Exit exit) {
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
            late = List.copyOf(running.values());
        }
        for (Generation generation : late) {
            if (stop(generation)) {
                ended(generation, "error", null);
                generation.stream.fail(new WorkerException.NotReady(State.DRAINING, "The server is stopping"));
            }
        }
    }

    /**
     * Waits for running requests, then ends the process.
     *
     * @param until {@link System#nanoTime()} at which running requests are given up
     */
    void end(long until) throws InterruptedException {
        WorkerProcess last;
        synchronized (this) {
            while (!running.isEmpty() && System.nanoTime() < until) {
                // woken by the end of the process; permits are given back without notice, so look again shortly
                wait(Math.max(1, Math.min(100, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime()))));
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
    }

    /** Counters of both, gauges of the second. */
    private static WorkerFrame.EngineStats sum(WorkerFrame.EngineStats a, WorkerFrame.EngineStats b) {
        return new WorkerFrame.EngineStats(b.waiting(), b.running(), b.kvCellsUsed(), b.kvCells(),
                a.promptTokens() + b.promptTokens(), a.generationTokens() + b.generationTokens(),
                a.prefixQueries() + b.prefixQueries(), a.prefixHits() + b.prefixHits(),
                a.imageQueries() + b.imageQueries(), a.imageHits() + b.imageHits(),
                a.imagesEncoded() + b.imagesEncoded(), a.imageEncodeMillis() + b.imageEncodeMillis(),
                a.imageTokens() + b.imageTokens(), a.cancelled() + b.cancelled());
    }
}
