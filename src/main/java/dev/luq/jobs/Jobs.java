package dev.luq.jobs;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.serving.ModelControl;
import dev.luq.serving.ModelOperationException;
import dev.luq.serving.SwapMode;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.jboss.logging.Logger;

/**
 * All re-quantizations of the data folder and the queue they wait in, in the order of their ids. What changes in one is
 * told once it is recorded; a job that ran when the server ended is queued again when it starts, unless it was to be
 * cancelled. Of several servers on one data folder one has the jobs; the others tell what it has recorded. Thread-safe.
 */
@ApplicationScoped
public class Jobs {

    private static final Logger LOG = Logger.getLogger(Jobs.class);

    /** How often a server looks whether it can have the jobs now. */
    private static final long OWNERSHIP_MILLIS = 1_000;

    /** After how long an activation is tried again while something else is done with its model. */
    private static final long BUSY_MILLIS = 500;

    /** Puts a job's result behind its model's id. */
    interface Activator {
        CompletionStage<?> activate(String modelId, String manifestId, SwapMode mode);
    }

    /**
     * What is asked for.
     *
     * @param id of the job, new
     * @param spec what is to be done
     * @param idempotency of the request, if its client gave a key
     * @param activation how to swap to the result; empty to leave what is served
     */
    public record Request(
            String id, RequantizationSpec spec, Optional<Job.Idempotency> idempotency, Optional<SwapMode> activation) {}

    private final JobsConfig config;
    private final JobLauncher launcher;
    private final Activator activator;
    private final List<JobListener> listeners;

    // all below guarded by this
    private final JobRecords records;
    private final Map<String, JobProcess> processes = new HashMap<>();
    private boolean stopping;

    @Inject
    Jobs(
            JobsConfig config,
            DataConfig data,
            JobLauncher launcher,
            ModelControl control,
            @All List<JobListener> listeners) {
        this(
                config,
                new DataFolder(data.dataDir()),
                launcher,
                (modelId, manifestId, mode) -> control.activate(modelId, Optional.of(manifestId), mode),
                listeners);
    }

    Jobs(JobsConfig config, DataFolder data, JobLauncher launcher, Activator activator, List<JobListener> listeners) {
        this.config = config;
        this.records = new JobRecords(new JobFolders(data));
        this.launcher = launcher;
        this.activator = activator;
        this.listeners = listeners;
    }

    /** After the supervisor: an activation that was not done yet needs its model's worker. */
    void start(@Observes @Priority(10_000) StartupEvent event) {
        start();
    }

    synchronized void start() {
        if (!records.exist()) {
            return;
        }
        try {
            if (own()) {
                return;
            }
            LOG.warn("Another server uses the data folder and runs its re-quantizations; this one waits for it to end");
        } catch (JobRequestException.NotSaved e) {
            LOG.error("The folder of the re-quantizations cannot be used; none runs until it can", e.getCause());
        }
        thread("luq-jobs-wait", this::awaitOwnership);
    }

    private void awaitOwnership() throws InterruptedException {
        while (true) {
            Thread.sleep(OWNERSHIP_MILLIS);
            synchronized (this) {
                if (stopping || ownNow()) {
                    return;
                }
            }
        }
    }

    private boolean ownNow() {
        try {
            return own();
        } catch (JobRequestException.NotSaved e) {
            LOG.debug("The folder of the re-quantizations cannot be used", e.getCause());
            return false;
        }
    }

    /**
     * Takes over the data folder's jobs unless another server has them.
     *
     * @return whether they are this one's
     * @throws JobRequestException.NotSaved when their folder cannot be used
     */
    private boolean own() {
        if (records.areOurs()) {
            return true;
        }
        if (!records.take()) {
            return false;
        }
        recover();
        thread("luq-jobs", new JobRunner(this, launcher, listeners, config.attempts())::run);
        return true;
    }

    private void recover() {
        for (Job job : records.all()) {
            if (job.state() == JobState.RUNNING && job.cancelRequested().isPresent()) {
                records.change(job.id(), j -> j.ended(JobState.CANCELLED, Instant.now(), Optional.empty()));
            } else if (job.state() == JobState.RUNNING) {
                LOG.infof("Re-quantization %s was running when its server ended and is resumed", job.id());
                records.change(job.id(), Job::queued);
            } else if (JobEvents.isAwaited(job)) {
                activate(job);
            }
        }
    }

    private void requireOwnership() {
        try {
            if (!own()) {
                throw new JobRequestException.Elsewhere();
            }
        } catch (JobRequestException.NotSaved e) {
            LOG.error("The folder of the re-quantizations cannot be used", e.getCause());
            throw e;
        }
    }

    /** Something that a thread does until it is interrupted. */
    private interface Loop {
        void run() throws InterruptedException;
    }

    private static void thread(String name, Loop loop) {
        Thread thread = new Thread(
                () -> {
                    try {
                        loop.run();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Processes end with their input; what they were doing is resumed at the next start. */
    void stop(@Observes ShutdownEvent event) {
        stop();
    }

    synchronized void stop() {
        stopping = true;
        processes.values().forEach(JobProcess::stop);
        notifyAll();
        records.close();
    }

    /** The latest first. */
    public synchronized List<Job> list() {
        return records.seen().stream()
                .sorted(Comparator.comparing(Job::id).reversed())
                .toList();
    }

    /**
     * Those that have not ended, also where another server had them just now.
     *
     * @throws JobRequestException.Elsewhere when another server has them, and goes on with them
     * @throws JobRequestException.NotSaved when their folder cannot be used
     */
    public synchronized List<Job> unfinished() {
        if (records.exist()) {
            requireOwnership();
        }
        return records.all().stream().filter(job -> !job.state().isFinal()).toList();
    }

    /**
     * When the next job counts as created, to the millisecond: after all that there are, also when the clock was set
     * back, so that an id that begins with it comes last.
     *
     * @throws JobRequestException.Elsewhere when another server has the jobs of the data folder
     * @throws JobRequestException.NotSaved when their folder cannot be used
     */
    public synchronized Instant nextCreated() {
        requireOwnership();
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        return records.all().stream()
                .map(job -> job.created().plusMillis(1))
                .filter(now::isBefore)
                .max(Comparator.naturalOrder())
                .orElse(now);
    }

    /** @throws JobRequestException.NotFound when there is none */
    public synchronized Job get(String id) {
        if (records.areOurs()) {
            return records.get(id);
        }
        return records.seen().stream()
                .filter(job -> job.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new JobRequestException.NotFound(id));
    }

    /** Jobs that will run before this one, those that run included; empty unless it is queued, and this server's. */
    public synchronized OptionalLong position(String id) {
        return records.position(id);
    }

    public synchronized long count(JobState state) {
        return records.in(state).size();
    }

    /** Where the job's description, report and working files lie. */
    public Path folder(Job job) {
        return records.folder(job);
    }

    /** The job that a request with this key made, if any. */
    public synchronized Optional<Job> find(Job.Idempotency idempotency) {
        return records.find(idempotency);
    }

    /**
     * Queues a job, or finds the one that the same request made before.
     *
     * @throws JobRequestException.KeyReused when its key belongs to another request
     * @throws JobRequestException.QueueFull when too many wait
     * @throws JobRequestException.Conflict when one that has not ended makes a variant of the same name
     * @throws JobRequestException.NotSaved when the disk does not take it
     * @throws JobRequestException.Elsewhere when another server has the jobs of the data folder; also of the methods below
     */
    public synchronized Job create(Request request) {
        requireOwnership();
        Optional<Job> before = request.idempotency().flatMap(records::find);
        if (before.isPresent()) {
            return before.get();
        }
        RequantizationSpec spec = request.spec();
        requireRoom(spec.output().manifestId());
        Job job = new Job(
                Job.VERSION,
                request.id(),
                spec.source().modelId(),
                spec.output().manifestId(),
                spec.budget().text(),
                JobState.QUEUED,
                spec.output().created(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0,
                OptionalLong.empty(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                0,
                request.idempotency(),
                request.activation().map(mode -> new Job.ResultActivation(mode, false, Optional.empty())));
        records.add(job, spec);
        notifyAll();
        return job;
    }

    /**
     * Stops a job. One that runs stops soon, which its events tell, at the latest with the server; what it has done so
     * far is kept.
     *
     * @throws JobRequestException.Conflict when it has ended
     * @throws JobRequestException.NotSaved when the disk does not take it; the job goes on
     */
    public synchronized Job cancel(String id) {
        requireOwnership();
        Job job = get(id);
        if (job.state().isFinal()) {
            throw new JobRequestException.Conflict("The re-quantization has ended: it is " + text(job.state()));
        }
        if (job.state() == JobState.QUEUED) {
            return records.changeOnDisk(id, j -> j.ended(JobState.CANCELLED, Instant.now(), Optional.empty()));
        }
        Job cancelling = records.changeOnDisk(id, j -> j.cancelling(Instant.now()));
        JobProcess process = processes.get(id);
        if (process != null) {
            process.stop();
        }
        return cancelling;
    }

    /** @param result what the job that is to be queued makes */
    private void requireRoom(String result) {
        int waiting = (int) count(JobState.QUEUED);
        if (waiting >= config.queueSize()) {
            throw new JobRequestException.QueueFull(waiting);
        }
        records.all().stream()
                .filter(job -> !job.state().isFinal() && job.manifestId().equals(result))
                .findFirst()
                .ifPresent(job -> {
                    throw new JobRequestException.Conflict("The re-quantization " + job.id() + " makes a variant "
                            + result + " already; choose another variant, or cancel that one");
                });
    }

    /**
     * Queues a job again that failed or was cancelled; it goes on where it was.
     *
     * @throws JobRequestException.QueueFull when too many wait
     * @throws JobRequestException.Conflict when it has not ended so, or another one makes its variant
     */
    public synchronized Job resume(String id) {
        requireOwnership();
        Job job = get(id);
        if (job.state() != JobState.FAILED && job.state() != JobState.CANCELLED) {
            throw new JobRequestException.Conflict(
                    "Only a failed or cancelled re-quantization can be resumed: this one is " + text(job.state()));
        }
        requireRoom(job.manifestId());
        Job resumed = records.changeOnDisk(id, Job::resumed);
        notifyAll();
        return resumed;
    }

    /**
     * Forgets a job that has ended: its record, description and report. Its result stays in the store, what it measured
     * in the cache.
     *
     * @throws JobRequestException.NotFound when there is no such job
     * @throws JobRequestException.Conflict when it waits, runs, or its result is about to be served
     * @throws JobRequestException.NotSaved when the disk does not take it
     */
    public synchronized void delete(String id) {
        requireOwnership();
        Job job = get(id);
        if (!job.state().isFinal()) {
            throw new JobRequestException.Conflict(
                    "The re-quantization has not ended: it is " + text(job.state()) + ". Cancel it first");
        }
        if (JobEvents.isAwaited(job)) {
            throw new JobRequestException.Conflict(
                    "The result of the re-quantization is about to be served; try again later");
        }
        records.delete(id);
    }

    private static String text(JobState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    /**
     * A job's present state and its later ones; the newest takes the place of those that a subscriber was too slow for.
     * Completes when nothing more will happen by itself.
     *
     * @throws JobRequestException.NotFound when there is no such job
     * @throws JobRequestException.Elsewhere when another server has it and it has not ended
     */
    public synchronized Multi<JobEvents.Event> changes(String id) {
        Job now = get(id);
        if (!records.areOurs() && !JobEvents.isOver(now)) {
            throw new JobRequestException.Elsewhere();
        }
        return Multi.createFrom()
                .emitter(
                        watcher -> {
                            synchronized (this) {
                                records.watch(get(id), watcher);
                            }
                        },
                        BackPressureStrategy.LATEST);
    }

    /** Waits for the next job and makes it a running one. */
    synchronized Job take() throws InterruptedException {
        while (true) {
            Optional<Job> next = stopping
                    ? Optional.empty()
                    : records.in(JobState.QUEUED).stream().findFirst();
            if (next.isPresent()) {
                return records.change(next.get().id(), job -> job.running(Instant.now()));
            }
            wait();
        }
    }

    /** A process works on the job now; it is stopped at once when it should not. */
    synchronized void processStarted(String id, JobProcess process) {
        processes.put(id, process);
        if (isCancelled(id)) {
            process.stop();
        }
    }

    /** Whether a job that no process works on yet is to be cancelled, or the server stops. */
    synchronized boolean isCancelled(String id) {
        return stopping || records.get(id).cancelRequested().isPresent();
    }

    /** A change of a job that is written to its record. */
    synchronized void record(String id, UnaryOperator<Job> change) {
        records.change(id, change);
    }

    /** A change of a job that its watchers see but that is not written. */
    synchronized void update(String id, UnaryOperator<Job> change) {
        records.update(id, change);
    }

    /**
     * No process works on the job any more.
     *
     * @param next makes the job's next state of the job and of whether it was to be cancelled
     */
    void processEnded(String id, BiFunction<Job, Boolean, Job> next) {
        Job ended;
        synchronized (this) {
            processes.remove(id);
            if (stopping) {
                return; // the record says RUNNING: resumed or cancelled at the next start
            }
            ended = records.change(
                    id, job -> next.apply(job, job.cancelRequested().isPresent()));
            notifyAll();
        }
        LOG.infof(
                "Re-quantization %s: %s%s",
                id, text(ended.state()), ended.error().map(e -> ": " + e).orElse(""));
        if (ended.state() == JobState.SUCCEEDED && ended.activation().isPresent()) {
            activate(ended);
        }
    }

    private void activate(Job job) {
        SwapMode mode = job.activation().orElseThrow().swap();
        activator
                .activate(job.modelId(), job.manifestId(), mode)
                .whenComplete((done, failure) -> activated(
                        job,
                        failure instanceof CompletionException && failure.getCause() != null
                                ? failure.getCause()
                                : failure));
    }

    /** @param failure null where the result is served */
    private void activated(Job job, Throwable failure) {
        if (failure instanceof ModelOperationException.Stopping) {
            return; // done at the next start
        }
        if (failure instanceof ModelOperationException.InProgress) {
            CompletableFuture.delayedExecutor(BUSY_MILLIS, TimeUnit.MILLISECONDS)
                    .execute(() -> activateAgain(job));
            return;
        }
        Optional<String> why = Optional.ofNullable(failure)
                .map(f ->
                        Objects.requireNonNullElse(f.getMessage(), f.getClass().getSimpleName()));
        why.ifPresent(reason -> LOG.errorf("The result of re-quantization %s is not served: %s", job.id(), reason));
        synchronized (this) {
            records.change(job.id(), j -> j.activated(why));
        }
    }

    private void activateAgain(Job job) {
        synchronized (this) {
            if (stopping) {
                return;
            }
        }
        activate(job);
    }
}
