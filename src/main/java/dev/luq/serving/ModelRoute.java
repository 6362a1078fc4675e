package dev.luq.serving;

import dev.luq.catalog.KeepAlive;
import dev.luq.catalog.ModelSettings;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * The way to whichever worker serves a model now: it stays while workers come and go. Between two of them it can be
 * paused: requests wait.
 * <pre>
 *            put                      pause
 *  (none)   -----> worker serves ----------------> requests wait
 *     ^   unload     |   ^ replace by another          |
 *     +--------------+---+<----------------------------+ resume with another
 * </pre>
 * Locks: this one before a worker's. INVARIANT: a request is held by {@code paused} or by one worker, never by both.
 */
final class ModelRoute implements ModelWorker {

    /** Longer than a process takes to end that works on nothing any more. */
    private static final Duration RETIRING = Duration.ofSeconds(30);

    private final String modelId;
    private final WorkerConfig config;
    private final ModelSettings settings;
    private final BooleanSupplier onDemand;
    private final ScheduledExecutorService timer;
    private final GenerationListener listener;
    private final Quarantine quarantine;
    /** Null where workers are put behind this route by hand. */
    private volatile ModelLoader loader;

    // all below guarded by this
    /** Null when no process is to serve the model. */
    private SupervisedWorker current;
    /** Replaced ones that still end their requests. */
    private final List<SupervisedWorker> retiring = new ArrayList<>();
    /** Requests that wait; null unless it is paused. */
    private Permits paused;

    private boolean draining;
    /** Whether the time is up that draining leaves to answers. */
    private boolean givenUp;
    /** Whether a worker is going to be put here. */
    private boolean expected;
    /** Whether the worker takes no more requests, but what is left of its answers. */
    private boolean leaving;

    private WorkerFrame.ModelInfo lastInfo;
    private WorkerFrame.EngineStats past = Totals.NONE;
    private long pastRestarts;

    /** @param onDemand whether a request may have the model loaded */
    ModelRoute(
            String modelId,
            WorkerConfig config,
            ModelSettings settings,
            BooleanSupplier onDemand,
            ScheduledExecutorService timer,
            GenerationListener listener) {
        this.modelId = modelId;
        this.config = config;
        this.settings = settings;
        this.onDemand = onDemand;
        this.timer = timer;
        this.listener = listener;
        this.quarantine = new Quarantine(config.restart());
    }

    /** From now on this one loads and ends the model, and hears what becomes of its workers. */
    void loadedBy(ModelLoader its) {
        loader = its;
    }

    ModelSettings settings() {
        return settings;
    }

    /** Requests that run at once. */
    int slots() {
        return WorkerSettings.of(config, settings).slots();
    }

    /** To be shared by all workers of this route: an input that killed one is not tried on the next. */
    Quarantine quarantine() {
        return quarantine;
    }

    /** @return null when no worker serves the model */
    synchronized SupervisedWorker current() {
        return current;
    }

    /** From now on this worker serves the model, which none did. */
    synchronized void put(SupervisedWorker worker) {
        if (current != null) {
            throw new IllegalStateException(modelId + " is served by another worker");
        }
        current = worker;
        worker.whenChanged(this::changed);
        if (draining) {
            worker.drain();
        }
        if (givenUp) {
            worker.giveUp();
        }
        changed();
    }

    private void changed() {
        if (loader != null) {
            loader.changed(this);
        }
    }

    /** Says whether a worker is going to be put here. */
    synchronized void expected(boolean soon) {
        expected = soon;
    }

    /** Says whether the worker ends as soon as the answers are whole that it has begun. */
    synchronized void leaving(boolean soon) {
        leaving = soon;
    }

    /** Whether a worker can give what is left of answers. */
    synchronized boolean isAnswering() {
        return current != null && current.state() != State.FAILED;
    }

    /**
     * From now on this worker serves the model, or none. The one before takes no more requests.
     *
     * @param worker null for none
     * @return the one before, or null; to be given to {@link #retire}
     */
    synchronized SupervisedWorker replace(SupervisedWorker worker) {
        SupervisedWorker before = current;
        current = null;
        if (before != null) {
            lastInfo = before.info().orElse(lastInfo);
            retiring.add(before);
            before.drain();
        }
        if (worker != null) {
            put(worker);
        }
        return before;
    }

    /** Lets a replaced worker end its requests and ends it. Returns when it is gone. */
    void retire(SupervisedWorker worker) throws InterruptedException {
        try {
            worker.end(System.nanoTime() + config.deadline().toNanos());
        } finally {
            synchronized (this) {
                if (retiring.remove(worker)) {
                    past = Totals.sum(past, Totals.counters(worker.totals()));
                    pastRestarts += worker.restarts();
                }
                notifyAll();
            }
            changed();
        }
    }

    /** Whether a replaced worker still ends its requests. */
    synchronized boolean isRetiring() {
        return !retiring.isEmpty();
    }

    /**
     * Waits until all replaced workers are gone.
     *
     * @throws ModelOperationException.Late when one is not, although its requests were given up
     */
    synchronized void awaitRetired() throws InterruptedException {
        long until = System.nanoTime() + config.deadline().plus(RETIRING).toNanos();
        while (!retiring.isEmpty()) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                throw new ModelOperationException.Late("A process that served the model before does not end");
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /** From now on requests wait, until {@link #resume}. */
    synchronized void pause() {
        paused = new Permits(modelId, config, slots(), quarantine);
    }

    /**
     * Hands the requests that waited to this worker, in the order of their arrival, and all later ones.
     *
     * @param worker null for none: the requests fail
     */
    void resume(SupervisedWorker worker) {
        List<Runnable> refusals = new ArrayList<>();
        synchronized (this) {
            if (worker != null) {
                put(worker);
            }
            for (InFlightRequest request : paused.all()) {
                request.stopDeadline();
                Permits.Refusal refusal = refusalUnlessAdmitted(request);
                if (refusal != null) {
                    refusals.add(() -> request.refuse(refusal));
                }
            }
            paused = null;
        }
        refusals.forEach(Runnable::run);
    }

    @Override
    public Multi<WorkerFrame.OfRequest> generate(ServerFrame.Generate frame, InFlightAnswer answer) {
        return InFlightRequest.stream(modelId, frame, answer, listener, this::submit);
    }

    @Override
    public <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> frame, InFlightAnswer answer) {
        return InFlightRequest.answer(modelId, frame, answer, listener, this::submit);
    }

    private void submit(InFlightRequest request) {
        Permits.Refusal refusal;
        synchronized (this) {
            refusal = paused == null || draining ? refusalUnlessAdmitted(request) : refusalUnlessWaiting(request);
        }
        if (refusal == null) {
            request.stream.onTermination(() -> abandoned(request));
        } else {
            request.refuse(refusal);
        }
    }

    private Permits.Refusal refusalUnlessAdmitted(InFlightRequest request) {
        if (current != null) {
            return current.admit(request);
        }
        return draining
                ? Permits.draining()
                : new Permits.Refusal(
                        "model_not_loaded",
                        new WorkerException.NotReady(State.UNLOADED, "The model " + modelId + " is not loaded"));
    }

    private Permits.Refusal refusalUnlessWaiting(InFlightRequest request) {
        Permits waiting = paused;
        for (InFlightRequest preempted : waiting.preempted(request)) {
            if (stopWaiting(preempted)) {
                timer.execute(() -> preempted.refuse(waiting.preemption()));
            }
        }
        Permits.Refusal refusal = waiting.acquire(request);
        if (refusal == null) {
            request.deadline(timer.schedule(
                    () -> deadlineReached(request), request.remainingMillis(config.deadline()), TimeUnit.MILLISECONDS));
        }
        return refusal;
    }

    private void abandoned(InFlightRequest request) {
        if (stopWaiting(request)) {
            request.ended("cancelled", null);
        } else if (request.inFlight() != null) {
            request.inFlight().abandoned(request);
        }
    }

    private void deadlineReached(InFlightRequest request) {
        if (stopWaiting(request)) {
            request.fail(WorkerException.DeadlineExceeded.after(config.deadline()));
        }
    }

    private synchronized boolean stopWaiting(InFlightRequest request) {
        if (paused == null || !paused.release(request)) {
            return false;
        }
        request.stopDeadline();
        return true;
    }

    /** Refuses requests from now on, but not what is left of an answer that has begun: the server stops. */
    synchronized void drain() {
        draining = true;
        if (current != null) {
            current.drain();
        }
    }

    /** Fails the requests that are still running or waiting; {@link #drain} comes before. */
    void giveUp() {
        List<SupervisedWorker> workers;
        List<InFlightRequest> waiting;
        synchronized (this) {
            givenUp = true;
            workers = workers();
            waiting = paused == null ? List.of() : paused.all();
        }
        for (InFlightRequest request : waiting) {
            if (stopWaiting(request)) {
                request.fail(WorkerException.NotReady.stopping());
            }
        }
        workers.forEach(SupervisedWorker::giveUp);
    }

    /** Ends all processes; running requests are given up. */
    void end() throws InterruptedException {
        drain();
        giveUp();
        List<SupervisedWorker> workers;
        synchronized (this) {
            workers = workers();
        }
        for (SupervisedWorker worker : workers) {
            worker.end(System.nanoTime());
        }
    }

    private List<SupervisedWorker> workers() {
        List<SupervisedWorker> workers = new ArrayList<>(retiring);
        if (current != null) {
            workers.add(current);
        }
        return workers;
    }

    @Override
    public String modelId() {
        return modelId;
    }

    @Override
    public synchronized State state() {
        if (draining) {
            return current != null && current.state() == State.FAILED ? State.FAILED : State.DRAINING;
        }
        if (paused != null) {
            return State.SWAPPING;
        }
        if (current == null || leaving) {
            return expected ? State.LOADING : State.UNLOADED;
        }
        return current.state();
    }

    @Override
    public synchronized Optional<WorkerFrame.ModelInfo> info() {
        return Optional.ofNullable(current)
                .flatMap(SupervisedWorker::info)
                .or(() -> Optional.ofNullable(lastInfo))
                .map(info -> info.with(settings.defaults()));
    }

    @Override
    public synchronized WorkerFrame.EngineStats totals() {
        return workers().stream().map(SupervisedWorker::totals).reduce(past, Totals::sum);
    }

    @Override
    public synchronized Optional<String> failure() {
        return Optional.ofNullable(current).flatMap(SupervisedWorker::failure);
    }

    @Override
    public synchronized long restarts() {
        return pastRestarts
                + workers().stream().mapToLong(SupervisedWorker::restarts).sum();
    }

    @Override
    public int inFlight() {
        // The loader's lock comes before this one's.
        return (loader == null ? 0 : loader.waiting(this)) + permits();
    }

    private synchronized int permits() {
        return workers().stream().mapToInt(SupervisedWorker::inFlight).sum() + (paused == null ? 0 : paused.size());
    }

    @Override
    public synchronized Optional<Long> pid() {
        return Optional.ofNullable(current).flatMap(SupervisedWorker::pid);
    }

    /** Process ids of all its workers, those that still end their requests included. */
    synchronized List<Long> pids() {
        return workers().stream().flatMap(worker -> worker.pid().stream()).toList();
    }

    @Override
    public synchronized float loadProgress() {
        return current == null ? 0 : current.loadProgress();
    }

    @Override
    public boolean isOnDemand() {
        return onDemand.getAsBoolean();
    }

    @Override
    public Residence residence() {
        return loader == null ? Residence.UNKNOWN : loader.residence(this);
    }

    @Override
    public <T> Multi<T> whenLoaded(
            String client, Optional<KeepAlive> keepAlive, Function<WorkerFrame.ModelInfo, Multi<T>> work) {
        // Whoever has waited for all of the deadline would be loaded for in vain.
        Duration longest = config.loadWait().compareTo(config.deadline()) < 0 ? config.loadWait() : config.deadline();
        return whenLoaded(client, longest, keepAlive, work);
    }

    /** The same with a longest wait of its own. */
    <T> Multi<T> whenLoaded(
            String client,
            Duration longestWait,
            Optional<KeepAlive> keepAlive,
            Function<WorkerFrame.ModelInfo, Multi<T>> work) {
        return loader == null
                ? ModelWorker.super.whenLoaded(client, keepAlive, work)
                : loader.whenLoaded(this, client, longestWait, keepAlive, work);
    }
}
