package dev.luq.serving;

import dev.luq.catalog.KeepAlive;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.LoadScheduler.Decision;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Loads models for requests and ends those that are idle or have to make room, as {@link LoadScheduler} decides. A
 * request holds its model from the moment it asks for it: it queues until the model gets its memory, waits until it has
 * loaded, and runs; whoever has loaded and is not held is idle. Thread-safe. Locks: this one before a route's.
 */
final class ModelLoader {

    private static final Logger LOG = Logger.getLogger(ModelLoader.class);

    /** Of the machine's memory a tenth is not for models, and no less than this. */
    private static final long RESERVE = 256L << 20;

    /** After how long the system is asked again for a thread that it did not give. */
    private static final Duration THREAD_PAUSE = Duration.ofMillis(250);

    /** What is done to models. Called on background threads, for one model one after the other; may take its time. */
    interface Effects {

        /** Bytes that serving a model takes by its files. */
        long estimate(String modelId);

        /** Starts a process for a model that has none; returns before it has loaded. */
        void start(ModelRoute route);

        /**
         * Ends a model's processes after their running requests.
         *
         * @throws ModelOperationException.Late when one does not end
         */
        void end(ModelRoute route) throws InterruptedException;
    }

    /** Where a request stands with its model. */
    private enum HoldState {
        /** It has not asked for it yet. */
        NEW,
        /** The model gets its memory when those before it have theirs. */
        QUEUED,
        /** The model is being loaded. */
        LOADING,
        RUNNING,
        ENDED
    }

    private static final class Served {
        private final ModelRoute route;
        /** Who does something to its processes has it. */
        private final Semaphore processes = new Semaphore(1);

        private final List<Hold> waiting = new ArrayList<>();
        private int running;
        /** Swaps that are asked for and not done. */
        private int swaps;
        /** Whether a request waited for it too long: its load goes on even if no other one waits. */
        private boolean owed;
        /** Whether its worker is being made. */
        private boolean starting;
        /** When its memory was reserved, {@link System#nanoTime()}; 0 once it has loaded. */
        private long loadBegan;
        /** Whether it was swapped, and what it takes now is not known before the replaced process is gone. */
        private boolean swapped;
        /** Done when its process is gone; null unless it ends. */
        private CompletableFuture<Void> ending;

        private Instant lastUsed;

        Served(ModelRoute route) {
            this.route = route;
        }
    }

    /** What a request has of a model. Guarded by the loader. */
    private static final class Hold {
        private final ModelRoute route;
        /** Who waits; the server itself is one too. */
        private final String client;

        private Served model;
        private UniEmitter<? super ModelInfo> emitter;
        private HoldState state = HoldState.NEW;
        private Future<?> deadline;

        Hold(ModelRoute route, String client) {
            this.route = route;
            this.client = Objects.requireNonNullElse(client, "");
        }
    }

    private final WorkerConfig config;
    private final ScheduledExecutorService timer;
    private final Executor background;
    private final Effects effects;
    private final GenerationListener generationListener;
    private final List<ModelListener> modelListeners;
    private final MachineMemory memory;

    // all below guarded by this
    private final LoadScheduler scheduler;
    private final Map<String, Served> models = new HashMap<>();
    private Future<?> tick;
    private boolean draining;

    /** @param background runs what takes its time */
    ModelLoader(
            WorkerConfig config,
            MachineMemory memory,
            ScheduledExecutorService timer,
            Executor background,
            Effects effects,
            GenerationListener generationListener,
            List<ModelListener> modelListeners) {
        this.config = config;
        this.memory = memory;
        this.timer = timer;
        this.background = background;
        this.effects = effects;
        this.generationListener = generationListener;
        this.modelListeners = modelListeners;
        this.scheduler = new LoadScheduler(limit(config, memory), this::isBusy, this::measured);
    }

    static long limit(WorkerConfig config, MachineMemory memory) {
        if (config.memoryLimitBytes() > 0) {
            return config.memoryLimitBytes();
        }
        OptionalLong total = memory.total();
        return total.isEmpty() ? Long.MAX_VALUE : total.getAsLong() - Math.max(RESERVE, total.getAsLong() / 10);
    }

    private boolean isBusy(String id) {
        Served model = models.get(id);
        return model.running > 0
                || model.swaps > 0
                || model.loadBegan != 0
                || model.waiting.stream().anyMatch(hold -> hold.state == HoldState.LOADING);
    }

    private long measured(String id) {
        return models.get(id).route.pids().stream()
                .mapToLong(pid -> memory.resident(pid).orElse(0))
                .sum();
    }

    /** There is such a model from now on; nothing is loaded. */
    void add(ModelRoute route) {
        synchronized (this) {
            models.put(route.modelId(), new Served(route));
            scheduler.add(
                    route.modelId(),
                    route.settings().isPinned(),
                    route.settings().keepsAlive());
        }
        route.loadedBy(this);
    }

    /** There is no such model any more; its process is gone. */
    synchronized void remove(String id) {
        models.remove(id);
        scheduler.remove(id);
    }

    /** A model is loaded with the server, whatever the limit says; the caller starts its process. */
    void enter(String id) {
        change(then -> {
            enterNow(id);
            scheduler.used(id, System.nanoTime());
            models.get(id).loadBegan = System.nanoTime();
            size(id, then);
        });
    }

    private void enterNow(String id) {
        scheduler.enter(id);
        models.get(id).route.leaving(false);
    }

    /** Finds out in the background what a model takes, which may have changed. */
    private void size(String id, List<Runnable> then) {
        then.add(() -> inBackground(() -> {
            try {
                long bytes = effects.estimate(id);
                change(next -> {
                    if (models.containsKey(id)) {
                        scheduler.sized(id, bytes);
                        warnBeyondLimit(id);
                    }
                });
            } catch (RuntimeException | Error e) {
                LOG.errorf(e, "Model %s: what memory it takes cannot be found out", id);
                change(next -> {
                    Served model = models.get(id);
                    if (model != null && !scheduler.isIn(id)) {
                        failWaiting(model, unsized(model.route), next);
                    }
                });
            }
        }));
    }

    private static Permits.Refusal unsized(ModelRoute route) {
        return new Permits.Refusal(
                "model_failed",
                new WorkerException.NotReady(
                        ModelWorker.State.FAILED,
                        "The model " + route.modelId()
                                + " cannot be served: what memory it takes cannot be found out;"
                                + " the server's log says why"));
    }

    private void warnBeyondLimit(String id) {
        if (scheduler.isIn(id) && !scheduler.fits(0)) {
            LOG.warnf(
                    "The models in memory are estimated at %d MiB, more than the limit of %d MiB"
                            + " (luq.worker.memory-limit-bytes)",
                    scheduler.taken() >> 20, scheduler.limit() >> 20);
        }
    }

    /** See {@link ModelWorker#whenLoaded}. */
    <T> Multi<T> whenLoaded(
            ModelRoute route,
            String client,
            Duration longestWait,
            Optional<KeepAlive> keepAlive,
            Function<ModelInfo, Multi<T>> work) {
        return Multi.createFrom().deferred(() -> {
            Hold hold = new Hold(route, client);
            return Uni.createFrom()
                    .<ModelInfo>emitter(emitter -> begin(hold, longestWait, keepAlive, emitter))
                    .onItem()
                    .transformToMulti(work)
                    .onTermination()
                    .invoke(() -> end(hold));
        });
    }

    private void begin(
            Hold hold, Duration longestWait, Optional<KeepAlive> keepAlive, UniEmitter<? super ModelInfo> emitter) {
        change(then -> {
            if (hold.state == HoldState.ENDED) {
                return; // its client left before it asked
            }
            ModelRoute route = hold.route;
            String id = route.modelId();
            Served model = models.get(id);
            hold.model = model;
            hold.emitter = emitter;
            Permits.Refusal refusal = model == null ? unloaded(route) : refusal(model);
            if (refusal != null) {
                fail(hold, refusal, then);
                return;
            }
            model.lastUsed = Instant.now();
            scheduler.used(id, System.nanoTime());
            scheduler.keepAlive(id, keepAlive.orElse(route.settings().keepsAlive()));
            Optional<ModelInfo> info = scheduler.admits(id) ? served(model) : Optional.empty();
            if (info.isPresent()) {
                hold.state = HoldState.RUNNING;
                model.running++;
                then.add(() -> emitter.complete(info.get()));
                return;
            }
            if (model.waiting.size() >= route.slots() + config.queueSize()) {
                Optional<Hold> preempted = preempted(model, hold);
                if (preempted.isEmpty()) {
                    fail(hold, full(id, model.waiting.size() + " requests wait for it already"), then);
                    return;
                }
                leaveQueue(preempted.get());
                fail(preempted.get(), full(id, "others who have fewer requests there came before this one"), then);
            }
            model.waiting.add(hold);
            hold.deadline = timer.schedule(() -> waitedTooLong(hold), longestWait.toMillis(), TimeUnit.MILLISECONDS);
            if (scheduler.admits(id)) {
                hold.state = HoldState.LOADING;
            } else {
                hold.state = HoldState.QUEUED;
                route.expected(true);
                if (scheduler.ask(id)) {
                    size(id, then);
                }
            }
        });
    }

    private static Permits.Refusal full(String id, String why) {
        return new Permits.Refusal(
                "queue_full", new WorkerException.QueueFull("The model " + id + " is loading, and " + why));
    }

    /** The newest of the client that has most, unless this one's client would then have as many; as {@link Permits} does. */
    private static Optional<Hold> preempted(Served model, Hold hold) {
        Map<String, Long> holdings =
                model.waiting.stream().collect(Collectors.groupingBy(each -> each.client, Collectors.counting()));
        long most = Collections.max(holdings.values());
        return most <= holdings.getOrDefault(hold.client, 0L) + 1
                ? Optional.empty()
                : model.waiting.stream()
                        .filter(each -> holdings.get(each.client) == most)
                        .reduce((older, newer) -> newer);
    }

    /** @return null when the model is or can be loaded */
    private Permits.Refusal refusal(Served model) {
        if (draining) {
            return Permits.draining();
        }
        return switch (model.route.state()) {
            case FAILED -> failed(model.route);
            case UNLOADED -> model.route.isOnDemand() ? null : unloaded(model.route);
            default -> null;
        };
    }

    private static Permits.Refusal failed(ModelRoute route) {
        return new Permits.Refusal(
                "model_failed",
                new WorkerException.NotReady(
                        ModelWorker.State.FAILED,
                        "The model " + route.modelId() + " cannot be served: "
                                + route.failure().orElse("it failed to load")));
    }

    private static Permits.Refusal unloaded(ModelRoute route) {
        return new Permits.Refusal(
                "model_not_loaded",
                new WorkerException.NotReady(
                        ModelWorker.State.UNLOADED, "The model " + route.modelId() + " is not loaded"));
    }

    /** What the model is when requests go to its worker, which may still refuse them; empty while they wait for it. */
    private static Optional<ModelInfo> served(Served model) {
        if (model.starting) {
            return Optional.empty();
        }
        return switch (model.route.state()) {
            case READY, RESTARTING, SWAPPING, DRAINING -> model.route.info();
            case LOADING, FAILED, UNLOADED -> Optional.empty();
        };
    }

    private void fail(Hold hold, Permits.Refusal refusal, List<Runnable> then) {
        hold.state = HoldState.ENDED;
        if (hold.deadline != null) {
            hold.deadline.cancel(false);
        }
        then.add(() -> {
            generationListener.rejected(hold.route.modelId(), refusal.reason());
            hold.emitter.fail(refusal.exception());
        });
    }

    private void failWaiting(Served model, Permits.Refusal refusal, List<Runnable> then) {
        model.waiting.forEach(hold -> fail(hold, refusal, then));
        model.waiting.clear();
        model.owed = false;
        scheduler.abandon(model.route.modelId());
        model.route.expected(false);
    }

    private void waitedTooLong(Hold hold) {
        change(then -> {
            if (leaveQueue(hold)) {
                hold.model.owed = true;
                ModelRoute route = hold.route;
                String why = hold.state == HoldState.QUEUED
                        ? scheduler.isLeaving(route.modelId())
                                ? " is being unloaded"
                                : " waits for memory that other models need now"
                        : " is still loading (" + (int) (100 * route.loadProgress()) + " %)";
                fail(
                        hold,
                        new Permits.Refusal(
                                "model_loading",
                                new WorkerException.NotReady(
                                        ModelWorker.State.LOADING,
                                        "The model " + route.modelId() + why + "; try again shortly")),
                        then);
            }
        });
    }

    /** @return whether the request waited */
    private boolean leaveQueue(Hold hold) {
        Served model = hold.model;
        if (!model.waiting.remove(hold)) {
            return false;
        }
        hold.deadline.cancel(false);
        return true;
    }

    /** Gives up a model's place in the queue of loads when all who waited for it have left. */
    private void abandonUnlessWanted(Served model) {
        if (!model.owed && model.waiting.stream().noneMatch(hold -> hold.state == HoldState.QUEUED)) {
            scheduler.abandon(model.route.modelId());
            model.route.expected(false);
        }
    }

    /** The request is over, or its client has left. */
    private void end(Hold hold) {
        change(then -> {
            Served model = hold.model;
            HoldState before = hold.state;
            hold.state = HoldState.ENDED;
            if (before == HoldState.NEW || before == HoldState.ENDED) {
                return;
            }
            String id = model.route.modelId();
            if (!leaveQueue(hold)) {
                model.running--;
            } else {
                then.add(() -> generationListener.rejected(id, "cancelled"));
                if (before == HoldState.QUEUED) {
                    abandonUnlessWanted(model);
                }
            }
            if (models.get(id) == model) {
                model.lastUsed = Instant.now();
                scheduler.used(id, System.nanoTime());
            }
        });
    }

    /** The state or the process of a model's worker has changed. Called with any lock: returns at once. */
    void changed(ModelRoute route) {
        try {
            timer.execute(() -> change(then -> look(models.get(route.modelId()), then)));
        } catch (RejectedExecutionException e) {
            // the server has stopped
        }
    }

    private void look(Served model, List<Runnable> then) {
        if (model == null || models.get(model.route.modelId()) != model) {
            return;
        }
        String id = model.route.modelId();
        if (model.swapped && !model.route.isRetiring()) {
            model.swapped = false;
            scheduler.replaced(id);
            size(id, then);
        }
        if (model.starting) {
            return;
        }
        if (model.route.state() == ModelWorker.State.FAILED) {
            model.loadBegan = 0;
            failWaiting(model, failed(model.route), then);
            if (scheduler.isIn(id) && model.route.pids().isEmpty()) {
                scheduler.gone(id);
            }
            return;
        }
        served(model).ifPresent(info -> {
            if (model.loadBegan != 0 && model.route.state() == ModelWorker.State.READY) {
                Duration took = Duration.ofNanos(System.nanoTime() - model.loadBegan);
                model.loadBegan = 0;
                scheduler.used(id, System.nanoTime());
                then.add(() -> modelListeners.forEach(listener -> listener.loaded(id, took)));
            }
            runLoaded(model, info, then);
        });
    }

    private void runLoaded(Served model, ModelInfo info, List<Runnable> then) {
        model.owed = false;
        for (Hold hold : List.copyOf(model.waiting)) {
            if (hold.state == HoldState.LOADING && leaveQueue(hold)) {
                hold.state = HoldState.RUNNING;
                model.running++;
                // What follows reads and checks: not on the thread that has all deadlines.
                then.add(() -> execute(Infrastructure.getDefaultWorkerPool(), () -> hold.emitter.complete(info)));
            }
        }
    }

    /** Changes something, and does what follows without the lock. */
    private void change(Consumer<List<Runnable>> what) {
        List<Runnable> then = new ArrayList<>();
        try {
            synchronized (this) {
                what.accept(then);
                if (!draining) {
                    decide(then);
                }
                notifyAll();
            }
        } finally {
            // What was decided before a failure counts as done.
            then.forEach(ModelLoader::run);
        }
    }

    /** What follows for one client does not keep what follows for others from being done. */
    private static void run(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException | Error e) {
            LOG.error("What follows from a change of models in memory failed", e);
        }
    }

    private void decide(List<Runnable> then) {
        long now = System.nanoTime();
        scheduler.next(now).forEach(decision -> act(decision, then));
        if (tick != null) {
            tick.cancel(false);
            tick = null;
        }
        scheduler
                .untilNext(now)
                .ifPresent(nanos ->
                        tick = timer.schedule(() -> change(nothing -> {}), Math.max(nanos, 1), TimeUnit.NANOSECONDS));
    }

    private void act(Decision decision, List<Runnable> then) {
        Served model = models.get(decision.modelId());
        if (decision instanceof Decision.Load) {
            model.route.leaving(false);
            model.starting = true;
            model.loadBegan = System.nanoTime();
            model.waiting.forEach(hold -> hold.state = HoldState.LOADING);
            then.add(() -> inBackground(() -> start(model)));
        } else if (decision instanceof Decision.Keep) {
            model.waiting.forEach(hold -> hold.state = HoldState.LOADING);
            model.route.expected(false);
            look(model, then);
        } else if (decision instanceof Decision.Unload unload) {
            LOG.infof("Model %s: unloaded, %s", unload.modelId(), said(unload.reason()));
            end(model, true, unload.reason().name().toLowerCase(Locale.ROOT), then);
        } else if (decision instanceof Decision.Refuse refuse) {
            failWaiting(
                    model,
                    new Permits.Refusal(
                            "model_does_not_fit",
                            WorkerException.DoesNotFit.of(
                                    refuse.modelId(), refuse.bytes(), scheduler.limit(), refuse.pinned())),
                    then);
        }
    }

    private static String said(LoadScheduler.Reason reason) {
        return reason == LoadScheduler.Reason.IDLE ? "it was idle" : "another one needs its memory";
    }

    private void start(Served model) throws InterruptedException {
        String id = model.route.modelId();
        model.processes.acquire();
        try {
            boolean wanted;
            synchronized (this) {
                wanted = scheduler.isIn(id) && model.route.current() == null;
            }
            if (wanted) {
                effects.start(model.route);
            }
        } catch (RuntimeException | Error e) {
            LOG.errorf(e, "Model %s cannot be loaded", id);
            change(then -> goneIfNoneServes(model, then));
        } finally {
            model.processes.release();
            change(then -> {
                model.starting = false;
                model.route.expected(false);
                look(model, then);
            });
        }
    }

    /** No worker was put behind the model's route: it has no memory, and nobody would answer who waits. */
    private void goneIfNoneServes(Served model, List<Runnable> then) {
        String id = model.route.modelId();
        if (models.get(id) == model && scheduler.isIn(id) && model.route.current() == null) {
            scheduler.gone(id);
            failWaiting(model, unloaded(model.route), then);
        }
    }

    /**
     * Waits until the answers are whole that requests have begun: between two of its parts an answer has nothing at its
     * worker. No longer than one may take.
     *
     * @return whether the model is still to end; not when the server stops, which ends all after the time that it leaves
     */
    private synchronized boolean awaitAnswers(Served model) throws InterruptedException {
        long until = System.nanoTime() + config.deadline().toNanos();
        String id = model.route.modelId();
        while (model.running > 0
                && model.route.isAnswering()
                && !scheduler.isIn(id)
                && !draining
                && until - System.nanoTime() > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, until - System.nanoTime());
        }
        return !draining && !scheduler.isIn(id);
    }

    /** @param hadMemory whether it has memory until its process is gone */
    private CompletableFuture<Void> end(Served model, boolean hadMemory, String reason, List<Runnable> then) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        model.ending = done;
        model.loadBegan = 0;
        model.route.leaving(true);
        then.add(() -> inBackground(() -> {
            String id = model.route.modelId();
            Throwable failure = null;
            boolean ends = false;
            model.processes.acquire();
            try {
                // Unless a swap or a load that came first has put another process there.
                ends = awaitAnswers(model);
                if (ends) {
                    effects.end(model.route);
                }
            } catch (RuntimeException | Error e) {
                failure = e;
            } finally {
                model.processes.release();
            }
            if (ends && hadMemory) {
                run(() -> modelListeners.forEach(listener -> listener.unloaded(id, reason)));
            }
            change(next -> {
                if (model.ending == done) {
                    model.ending = null;
                }
                if (models.get(id) == model && !scheduler.isIn(id)) {
                    scheduler.gone(id);
                    model.route.leaving(false);
                }
            });
            if (failure == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(failure);
            }
        }));
        return done;
    }

    /**
     * Ends a model for an administrator: requests that run end, those that wait for it are refused.
     *
     * @return done when its memory is free
     */
    CompletableFuture<Void> unload(String id) {
        List<CompletableFuture<Void>> done = new ArrayList<>();
        change(then -> {
            Served model = models.get(id);
            failWaiting(model, unloaded(model.route), then);
            if (model.ending != null) {
                done.add(model.ending);
            } else {
                done.add(end(model, scheduler.leave(id), "admin", then));
            }
        });
        return done.get(0);
    }

    /** Does something to a model's processes or files while nobody else does. */
    <T> T exclusively(String id, Callable<T> action) throws Exception {
        Served model;
        synchronized (this) {
            model = models.get(id);
        }
        model.processes.acquire();
        try {
            return action.call();
        } finally {
            model.processes.release();
        }
    }

    /** Whether a process of this size fits beside those that there are. */
    synchronized boolean fits(long bytes) {
        return scheduler.fits(bytes);
    }

    /** The same for what a model serves: it is not idle from now on until that is done. */
    <T> T swapping(String id, Callable<T> swap) throws Exception {
        change(then -> models.get(id).swaps++);
        try {
            return exclusively(id, swap);
        } finally {
            swapped(id);
        }
    }

    /**
     * The process of a model that is being {@link #swapping swapped} is about to be replaced.
     *
     * @param bytes of the next process
     * @param beside whether the first one is there until it has loaded
     */
    void replacing(String id, long bytes, boolean beside) {
        change(then -> {
            models.get(id).swapped = false;
            enterNow(id);
            scheduler.replacing(id, bytes, beside);
        });
    }

    private void swapped(String id) {
        change(then -> {
            Served model = models.get(id);
            model.swaps--;
            model.swapped = true;
            scheduler.used(id, System.nanoTime());
            if (!model.starting) {
                goneIfNoneServes(model, then);
            }
            look(model, then);
        });
    }

    /** Refuses requests that wait, and begins nothing from now on: the server stops. */
    void drain() {
        change(then -> {
            draining = true;
            models.values().forEach(model -> failWaiting(model, Permits.draining(), then));
        });
    }

    /** Requests that wait until their model is loaded. */
    synchronized int waiting(ModelRoute route) {
        Served model = models.get(route.modelId());
        return model == null ? 0 : model.waiting.size();
    }

    /** See {@link ModelWorker#residence}. */
    synchronized ModelWorker.Residence residence(ModelRoute route) {
        Served model = models.get(route.modelId());
        return model == null
                ? ModelWorker.Residence.UNKNOWN
                : new ModelWorker.Residence(
                        Optional.ofNullable(model.lastUsed),
                        scheduler.keepAlive(route.modelId()),
                        measured(route.modelId()));
    }

    synchronized MemoryUse memory() {
        return new MemoryUse(scheduler.limit(), scheduler.taken());
    }

    private interface Work {
        void run() throws InterruptedException;
    }

    private void inBackground(Work work) {
        execute(background, () -> {
            try {
                work.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void execute(Executor executor, Runnable action) {
        try {
            executor.execute(action);
        } catch (RejectedExecutionException e) {
            LOG.debugf("The server stops: %s", e.getMessage());
        } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
            LOG.errorf("Models in memory wait for a thread: %s", e.getMessage());
            timer.schedule(() -> execute(executor, action), THREAD_PAUSE.toMillis(), TimeUnit.MILLISECONDS);
        }
    }
}
