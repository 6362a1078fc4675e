package dev.luq.serving;

import dev.luq.files.PlainText;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * A process that serves certain files of a model, and its successors when it dies. {@link InFlightRequests} has what they
 * work on.
 * <pre>
 *            start                ready                  died
 *  (new) ----------> LOADING ------------> READY ------------------> RESTARTING --+
 *                     |  ^ died               ^          ready                     | died
 *         load failed |  +-- after a pause    +------------------------------------+-- after a pause
 *                     v
 *                   FAILED        any state but FAILED -- drain --> DRAINING
 * </pre>
 * Events of a process that is not the current one are ignored.
 */
final class SupervisedWorker implements ModelWorker, WorkerProcess.Events {

    private static final Logger LOG = Logger.getLogger(SupervisedWorker.class);

    /** Characters of a failure's reason, which may quote a file. */
    private static final int LONGEST_REASON = 1000;

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
    private final Runnable released;
    private final InFlightRequests inFlight;
    private final AtomicBoolean ended = new AtomicBoolean();

    // all below guarded by this
    private State state = State.LOADING;
    private WorkerProcess process;
    /** Whether a process is being started: it may speak or die before it is the current one. */
    private boolean starting;
    /** Whether draining leaves answers that have begun to the process: it had loaded, and their time is not up. */
    private boolean finishing;

    private WorkerFrame.ModelInfo info;
    private WorkerFrame.EngineStats stats;
    private WorkerFrame.EngineStats past = Totals.NONE;
    private String failure;
    private long restarts;
    private FileStamps files;
    /** Share of the model that the process has loaded, 0..1. */
    private float loaded;
    /** Run when the state has changed, with the lock: returns at once. */
    private Runnable whenChanged = () -> {};
    /** When the process that loads last sent a frame, {@link System#nanoTime()}. */
    private long progressed;

    /**
     * @param quarantine may be shared with other workers of the same model
     * @param released run once, when its last process is gone for good
     */
    SupervisedWorker(
            String modelId,
            ServerFrame.Load load,
            WorkerConfig config,
            Launcher launcher,
            ScheduledExecutorService timer,
            GenerationListener listener,
            Quarantine quarantine,
            Runnable released) {
        this.modelId = modelId;
        this.load = load;
        this.config = config;
        this.launcher = launcher;
        this.timer = timer;
        this.listener = listener;
        this.restartPolicy = new RestartPolicy(config.restart());
        this.released = released;
        this.inFlight = new InFlightRequests(modelId, config, load.slots(), timer, quarantine, () -> process, this);
    }

    /** @param action run from now on when the state or the process has changed; returns at once and takes no lock */
    synchronized void whenChanged(Runnable action) {
        whenChanged = action;
    }

    private void changed() {
        notifyAll();
        whenChanged.run();
    }

    /** Starts the first process. */
    void start() {
        // Not with the lock: a file system may take its time.
        launch(FileStamps.of(paths()));
    }

    /** Not on the timer's thread, which has the deadlines of all models: a file system may take its time. */
    private void after(Duration pause, Runnable begin) {
        timer.schedule(
                () -> {
                    Thread thread = new Thread(begin, "luq-start-" + modelId);
                    thread.setDaemon(true);
                    try {
                        thread.start();
                    } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
                        begin.run();
                    }
                },
                pause.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void launch(FileStamps now) {
        synchronized (this) {
            if (isOver()) {
                return;
            }
            files = now;
            loaded = 0;
            starting = true;
        }
        WorkerProcess started;
        try {
            // Not with the lock: a file system and the system itself may take their time.
            started = launcher.start(modelId, this);
        } catch (IOException | RuntimeException | Error e) {
            notStarted(e);
            return;
        }
        adopt(started);
    }

    private synchronized void notStarted(Throwable why) {
        starting = false;
        if (isOver()) {
            return;
        }
        if (why instanceof IOException) {
            // Too many processes, too little memory: that passes.
            Duration pause = restartPolicy.notStarted();
            LOG.errorf(
                    "Model %s: a worker cannot be started (%s); tried again in %d ms",
                    modelId, why.getMessage(), pause.toMillis());
            after(pause, this::start);
        } else {
            LOG.error("A worker cannot be started", why);
            fail("Its process cannot be started; the server's log says why.");
        }
    }

    private synchronized void adopt(WorkerProcess started) {
        starting = false;
        notifyAll();
        if (isOver()) {
            started.kill();
            return;
        }
        process = started;
        restartPolicy.started();
        process.send(load);
        progressed = System.nanoTime();
        checkProgress(process);
        LOG.infof("Model %s: worker %d starts", modelId, process.pid());
    }

    private boolean isOver() {
        return state == State.DRAINING || state == State.FAILED;
    }

    /** Whether the process is the current one, which is known when it has been started. */
    private boolean isCurrent(WorkerProcess source) {
        boolean interrupted = false;
        while (starting) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return process == source;
    }

    private List<Path> paths() {
        return Stream.concat(load.modelFiles().stream(), Stream.ofNullable(load.mmproj()))
                .map(Path::of)
                .toList();
    }

    /** The files as they were when the latest process was started; empty when none ever was. */
    synchronized Optional<FileStamps> files() {
        return Optional.ofNullable(files);
    }

    /** Ends a process that hangs while it loads; called again until it has loaded or is gone. */
    private synchronized void checkProgress(WorkerProcess loading) {
        if (process != loading || state != State.LOADING && state != State.RESTARTING) {
            return;
        }
        long left = progressed + config.loadStallTimeout().toNanos() - System.nanoTime();
        if (left > 0) {
            timer.schedule(() -> checkProgress(loading), left, TimeUnit.NANOSECONDS);
            return;
        }
        String reason =
                "Loading it got no further for " + config.loadStallTimeout().toSeconds() + " seconds"
                        + loadingPart(loading).map(part -> ", at " + part).orElse("");
        if (state == State.LOADING) {
            fail(reason + ".");
        } else {
            LOG.errorf("Model %s: %s; worker %d is ended", modelId, reason, loading.pid());
        }
        loading.kill();
    }

    /** What a process was loading. */
    private static Optional<String> loadingPart(WorkerProcess process) {
        return process.blackbox().read().stream()
                .filter(work -> work.stage() == Blackbox.Stage.LOAD)
                .flatMap(work -> work.subjects().stream())
                .map(part -> PlainText.of(part, 100))
                .findFirst();
    }

    /** Makes the model unavailable for good. */
    synchronized void fail(String reason) {
        failure = PlainText.of(reason, LONGEST_REASON);
        state = State.FAILED;
        changed();
        LOG.errorf("Model %s cannot be served: %s", modelId, failure);
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
    public synchronized WorkerFrame.EngineStats totals() {
        return stats == null ? past : Totals.sum(past, stats);
    }

    @Override
    public synchronized Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public synchronized float loadProgress() {
        return state == State.LOADING || state == State.RESTARTING ? loaded : 1;
    }

    @Override
    public synchronized long restarts() {
        return restarts;
    }

    @Override
    public synchronized int inFlight() {
        return inFlight.size();
    }

    @Override
    public synchronized Optional<Long> pid() {
        return Optional.ofNullable(process).map(WorkerProcess::pid);
    }

    @Override
    public Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate frame, InFlightAnswer answer) {
        return InFlightRequest.stream(modelId, frame, answer, listener, this::submit);
    }

    /** @param told about this request */
    Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate frame, GenerationListener told) {
        return InFlightRequest.stream(modelId, frame, new InFlightAnswer(), told, this::submit);
    }

    @Override
    public <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> frame, InFlightAnswer answer) {
        return InFlightRequest.answer(modelId, frame, answer, listener, this::submit);
    }

    /** @param told about this request */
    <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> frame, GenerationListener told) {
        return InFlightRequest.answer(modelId, frame, new InFlightAnswer(), told, this::submit);
    }

    private void submit(InFlightRequest request) {
        Permits.Refusal refusal = admit(request);
        if (refusal == null) {
            request.stream.onTermination(() -> inFlight.abandoned(request));
        } else {
            request.refuse(refusal);
        }
    }

    /**
     * Begins to work on a request, whose stream's end the caller reports to {@link InFlightRequests#abandoned}.
     *
     * @return null, or why it is not done; nothing was said to the stream then
     */
    synchronized Permits.Refusal admit(InFlightRequest request) {
        Permits.Refusal refusal = refusal(request);
        return refusal == null ? inFlight.admit(request) : refusal;
    }

    /** @return null when the request is served */
    private Permits.Refusal refusal(InFlightRequest request) {
        return switch (state) {
            case READY -> null;
            case FAILED ->
                new Permits.Refusal(
                        "model_failed",
                        new WorkerException.NotReady(state, "The model " + modelId + " cannot be served: " + failure));
            case DRAINING -> finishing && request.answer.hasBegun() ? null : Permits.draining();
            case RESTARTING ->
                new Permits.Refusal(
                        "worker_restarting",
                        new WorkerException.NotReady(
                                state, "The model " + modelId + " is being restarted; try again shortly"));
            default ->
                new Permits.Refusal(
                        "model_loading",
                        new WorkerException.NotReady(
                                state, "The model " + modelId + " is still loading; try again shortly"));
        };
    }

    @Override
    public void frame(WorkerProcess source, WorkerFrame frame) {
        if (frame instanceof WorkerFrame.OfRequest ofRequest) {
            inFlight.frame(source, ofRequest);
            return;
        }
        synchronized (this) {
            if (!isCurrent(source)) {
                return;
            }
            progressed = System.nanoTime();
            if (frame instanceof WorkerFrame.Ready ready) {
                info = ready.info();
                restartPolicy.ready(System.nanoTime());
                if (state != State.DRAINING) {
                    state = State.READY;
                }
                changed();
                LOG.infof(
                        "Model %s is ready: %s, %s, %d MiB",
                        modelId, info.architecture(), info.quantization(), info.modelBytes() >> 20);
            } else if (frame instanceof WorkerFrame.Loading loading) {
                loaded = loading.progress();
            } else if (frame instanceof WorkerFrame.LoadFailed loadFailed && state != State.DRAINING) {
                fail(loadFailed.message());
            } else if (frame instanceof WorkerFrame.Stats update) {
                stats = update.stats();
            }
        }
    }

    @Override
    public void ended(WorkerProcess source, ProcessExit exit) {
        List<InFlightRequest> unanswered;
        State before;
        Optional<String> fileChange = Optional.empty();
        boolean lostFile = exit.signal().equals("SIGBUS");
        FileStamps now = lostFile ? FileStamps.of(paths()) : null;
        synchronized (this) {
            if (!isCurrent(source)) {
                return;
            }
            before = state;
            process = null;
            finishing = false;
            past = Totals.counters(totals());
            stats = null;
            if (lostFile) {
                fileChange = now.changeSince(files);
            }
            // A process whose file was taken away dies of that, whatever it works on.
            unanswered =
                    inFlight.processEnded(source.blackbox(), exit, before != State.DRAINING && fileChange.isEmpty());
            if (before != State.FAILED && before != State.DRAINING) {
                died(source, exit, fileChange);
            }
            changed();
        }
        String reason = "The model's process died while it worked on this request"
                + fileChange
                        .map(change -> ": the model's file " + change + " while it was served")
                        .orElse("");
        unanswered.forEach(request -> request.fail(new WorkerException.Died(reason)));
        if (before != State.FAILED && before != State.DRAINING) {
            listener.workerDied(modelId, exit.signal());
        }
    }

    private void died(WorkerProcess source, ProcessExit exit, Optional<String> fileChange) {
        String why = fileChange
                .map(change -> "; the model's file " + change + " while it was served")
                .orElse("");
        Optional<Duration> pause = restartPolicy.died(System.nanoTime());
        if (pause.isEmpty()) {
            LOG.errorf("Model %s: worker %d died (%s)%s", modelId, source.pid(), exit.forOperator(), why);
            fail("Its process died " + config.restart().loadAttempts() + " times while loading it (" + exit + ")"
                    + loadingPart(source)
                            .map(part -> ", the last time at " + part)
                            .orElse(""));
            return;
        }
        state = info == null ? State.LOADING : State.RESTARTING;
        LOG.errorf(
                "Model %s: worker %d died (%s)%s; the next one starts in %d ms",
                modelId, source.pid(), exit.forOperator(), why, pause.get().toMillis());
        after(pause.get(), this::restart);
    }

    private void restart() {
        synchronized (this) {
            if (state != State.LOADING && state != State.RESTARTING) {
                return;
            }
            restarts++;
        }
        start();
    }

    /** Refuses requests from now on, but not what is left of an answer that has begun. */
    synchronized void drain() {
        if (state != State.FAILED) {
            finishing |= state == State.READY;
            state = State.DRAINING;
            changed();
        }
    }

    /** Fails the requests that are still running; one that is draining refuses all others. */
    void giveUp() {
        synchronized (this) {
            finishing = false;
        }
        inFlight.giveUp();
    }

    /**
     * Waits until requests are served, or it is known that they never will be, but not for ever.
     *
     * @return whether they are
     */
    synchronized boolean awaitReady() throws InterruptedException {
        long until = System.nanoTime() + config.loadTimeout().toNanos();
        long left = config.loadTimeout().toNanos();
        for (;
                left > 0 && state != State.READY && state != State.FAILED && state != State.DRAINING;
                left = until - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return state == State.READY;
    }

    /** Why {@link #awaitReady} said no. */
    synchronized String whyNotReady() {
        return switch (state) {
            case FAILED -> failure;
            case DRAINING -> "it was ended";
            default -> "it has not loaded within " + config.loadTimeout().toSeconds() + " seconds";
        };
    }

    /**
     * Waits for running requests, then ends the process; {@link #drain} comes before.
     *
     * @param until {@link System#nanoTime()} at which running requests are given up
     */
    void end(long until) throws InterruptedException {
        WorkerProcess last;
        synchronized (this) {
            for (long left = until - System.nanoTime();
                    inFlight.size() > 0 && left > 0;
                    left = until - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            last = process;
        }
        giveUp();
        if (last != null) {
            last.close();
            if (!last.awaitExit(config.exitTime().toMillis())) {
                last.kill();
            }
        }
        if (!ended.getAndSet(true)) {
            released.run();
        }
    }
}
