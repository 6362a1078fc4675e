package dev.luq.jobs;

import dev.luq.catalog.CatalogConfig;
import dev.luq.jobs.protocol.JobFrame;
import dev.luq.luq.spec.Phase;
import dev.luq.luq.spec.RequantizationSpec;
import dev.luq.worker.ModelControl;
import dev.luq.worker.SwapMode;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.jboss.logging.Logger;

/**
 * All re-quantizations of the data folder and the queue they wait in, in the order of their ids. Every change of state
 * is on the disk before anybody hears of it; a job that ran when the server ended is queued again when it starts.
 * Thread-safe.
 */
@ApplicationScoped
public class Jobs {

    private static final Logger LOG = Logger.getLogger(Jobs.class);

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
    public record Request(String id, RequantizationSpec spec, Optional<Job.Idempotency> idempotency,
            Optional<SwapMode> activation) {
    }

    private final JobsConfig config;
    private final JobFolders folders;
    private final JobLauncher launcher;
    private final Activator activator;
    private final List<JobListener> listeners;
    private final JobEvents events = new JobEvents();

    // all below guarded by this
    private final Map<String, Job> jobs = new HashMap<>();
    private final Map<String, JobProcess> processes = new HashMap<>();
    /** Running ones that somebody wants to stop. */
    private final Set<String> cancelling = new HashSet<>();
    private boolean stopping;

    @Inject
    Jobs(JobsConfig config, CatalogConfig catalog, JobLauncher launcher, ModelControl control,
            @All List<JobListener> listeners) {
        this(config, catalog.dataDir().toAbsolutePath().normalize(), launcher,
                (modelId, manifestId, mode) -> control.activate(modelId, Optional.of(manifestId), mode), listeners);
    }

    Jobs(JobsConfig config, Path dataDir, JobLauncher launcher, Activator activator,
            List<JobListener> listeners) {
        this.config = config;
        this.folders = new JobFolders(dataDir);
        this.launcher = launcher;
        this.activator = activator;
        this.listeners = listeners;
    }

    /** After the supervisor: an activation that was not done yet needs its model's worker. */
    void start(@Observes @Priority(10_000) StartupEvent event) {
        start();
    }

    synchronized void start() {
        for (Job job : folders.load()) {
            jobs.put(job.id(), job);
            if (job.state() == JobState.RUNNING) {
                LOG.infof("Re-quantization %s was running when the server ended and is resumed", job.id());
                change(job.id(), Job::queued);
            } else if (job.state() == JobState.SUCCEEDED
                    && job.activation().filter(a -> !a.done() && a.error().isEmpty()).isPresent()) {
                activate(job);
            }
        }
        for (int i = 0; i < Math.max(1, config.concurrency()); i++) {
            Thread runner = new Thread(this::runJobs, "luq-jobs-" + i);
            runner.setDaemon(true);
            runner.start();
        }
    }

    /** Processes end with their input; what they were doing is resumed at the next start. */
    void stop(@Observes ShutdownEvent event) {
        stop();
    }

    synchronized void stop() {
        stopping = true;
        processes.values().forEach(JobProcess::stop);
        notifyAll();
    }

    /** The latest first. */
    public synchronized List<Job> list() {
        return jobs.values().stream().sorted(Comparator.comparing(Job::id).reversed()).toList();
    }

    /** @throws JobException.NotFound when there is none */
    public synchronized Job get(String id) {
        Job job = jobs.get(id);
        if (job == null) {
            throw new JobException.NotFound(id);
        }
        return job;
    }

    /** Jobs that will run before this one, those that run included; empty unless it is queued. */
    public synchronized OptionalLong position(String id) {
        Job job = get(id);
        return job.state() != JobState.QUEUED ? OptionalLong.empty()
                : OptionalLong.of(jobs.values().stream().filter(other -> other.state() == JobState.RUNNING
                        || other.state() == JobState.QUEUED && other.id().compareTo(id) < 0).count());
    }

    public synchronized long count(JobState state) {
        return jobs.values().stream().filter(job -> job.state() == state).count();
    }

    /** Where the job's description, report and working files lie. */
    public Path folder(String id) {
        return folders.of(get(id).id());
    }

    /** The job that a request with this key made, if any. */
    public synchronized Optional<Job> find(Job.Idempotency idempotency) {
        Optional<Job> before = jobs.values().stream()
                .filter(job -> job.idempotency().filter(i -> i.key().equals(idempotency.key())).isPresent()).findFirst();
        before.flatMap(Job::idempotency).filter(i -> !i.request().equals(idempotency.request())).ifPresent(i -> {
            throw new JobException.KeyReused();
        });
        return before;
    }

    /**
     * Queues a job, or finds the one that the same request made before.
     *
     * @throws JobException.KeyReused when its key belongs to another request
     * @throws JobException.QueueFull when too many wait
     * @throws JobException.NotSaved when the disk does not take it
     */
    public synchronized Job create(Request request) {
        Optional<Job> before = request.idempotency().flatMap(this::find);
        if (before.isPresent()) {
            return before.get();
        }
        int waiting = (int) count(JobState.QUEUED);
        if (waiting >= config.queueSize()) {
            throw new JobException.QueueFull(waiting);
        }
        RequantizationSpec spec = request.spec();
        Job job = new Job(Job.VERSION, request.id(), spec.source().modelId(), spec.output().manifestId(),
                spec.budget().text(), JobState.QUEUED, spec.output().created(), Optional.empty(), Optional.empty(),
                Optional.empty(), 0, OptionalLong.empty(), Map.of(), Optional.empty(), Optional.empty(), 0,
                request.idempotency(), request.activation().map(mode -> new Job.Activation(mode, false, Optional.empty())));
        try {
            spec.write(folders.create(job.id()));
            folders.save(job);
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "Re-quantization %s cannot be recorded", job.id());
            throw new JobException.NotSaved(e);
        }
        jobs.put(job.id(), job);
        events.tell(job);
        notifyAll();
        return job;
    }

    /**
     * Stops a job. One that runs stops soon, which its events tell; what it has done so far is kept.
     *
     * @throws JobException.Conflict when it has ended
     */
    public synchronized Job cancel(String id) {
        Job job = get(id);
        if (job.state().isFinal()) {
            throw new JobException.Conflict("The re-quantization has ended: it is " + text(job.state()));
        }
        if (job.state() == JobState.QUEUED) {
            return change(id, j -> j.ended(JobState.CANCELLED, Instant.now(), Optional.empty()));
        }
        cancelling.add(id);
        JobProcess process = processes.get(id);
        if (process != null) {
            process.stop();
        }
        return job;
    }

    /** Queues a job again that failed or was cancelled; it goes on where it was. */
    public synchronized Job resume(String id) {
        Job job = get(id);
        if (job.state() != JobState.FAILED && job.state() != JobState.CANCELLED) {
            throw new JobException.Conflict("Only a failed or cancelled re-quantization can be resumed: this one is "
                    + text(job.state()));
        }
        Job resumed = change(id, Job::resumed);
        notifyAll();
        return resumed;
    }

    private static String text(JobState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    /**
     * A job's present state and its later ones; the newest takes the place of those that a subscriber was too slow for.
     * Completes when nothing more will happen by itself.
     *
     * @throws JobException.NotFound when there is no such job
     */
    public Multi<JobEvents.Event> changes(String id) {
        get(id);
        return Multi.createFrom().emitter(watcher -> {
            synchronized (this) {
                events.watch(get(id), watcher);
            }
        }, BackPressureStrategy.LATEST);
    }

    /** Remembers a change of state. One that the disk does not take counts as long as the server runs. */
    private Job change(String id, UnaryOperator<Job> change) {
        Job next = change.apply(jobs.get(id));
        try {
            folders.save(next);
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "The state of re-quantization %s cannot be recorded", id);
        }
        jobs.put(id, next);
        events.tell(next);
        return next;
    }

    private void runJobs() {
        try {
            while (true) {
                run(take());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Job take() throws InterruptedException {
        while (true) {
            Optional<Job> next = stopping ? Optional.empty() : jobs.values().stream()
                    .filter(job -> job.state() == JobState.QUEUED).min(Comparator.comparing(Job::id));
            if (next.isPresent()) {
                return change(next.get().id(), job -> job.running(Instant.now()));
            }
            wait();
        }
    }

    private void run(Job job) throws InterruptedException {
        String id = job.id();
        JobProcess process;
        synchronized (this) {
            if (stopping) {
                return;
            }
            try {
                process = JobProcess.start(id, launcher);
            } catch (IOException e) {
                LOG.errorf(e, "The process of re-quantization %s cannot be started", id);
                change(id, j -> j.ended(JobState.FAILED, Instant.now(),
                        Optional.of("Its process cannot be started; the server's log says why.")));
                return;
            }
            processes.put(id, process);
            if (cancelling.contains(id)) {
                process.stop();
            }
        }
        LOG.infof("Re-quantization %s: process %d starts", id, process.pid());
        PhaseClock clock = new PhaseClock(id);
        JobProcess.Outcome outcome = process.await(frame -> heard(id, frame, clock));
        clock.next(Optional.empty());
        Job ended;
        synchronized (this) {
            processes.remove(id);
            boolean wanted = cancelling.remove(id);
            if (stopping && outcome.last().filter(JobFrame.Done.class::isInstance).isEmpty()) {
                return; // the record says RUNNING: resumed at the next start
            }
            ended = change(id, j -> after(j, outcome, wanted));
            notifyAll();
        }
        LOG.infof("Re-quantization %s: %s%s", id, text(ended.state()), ended.error().map(e -> ": " + e).orElse(""));
        if (ended.state() == JobState.SUCCEEDED && ended.activation().isPresent()) {
            activate(ended);
        }
    }

    private Job after(Job job, JobProcess.Outcome outcome, boolean cancelled) {
        Instant now = Instant.now();
        JobFrame last = outcome.last().orElse(null);
        if (last instanceof JobFrame.Done) {
            return job.ended(JobState.SUCCEEDED, now, Optional.empty());
        }
        if (last instanceof JobFrame.Failed failed) {
            return job.ended(JobState.FAILED, now, Optional.of(failed.message()));
        }
        if (cancelled || last instanceof JobFrame.Cancelled) {
            return job.ended(JobState.CANCELLED, now, Optional.empty());
        }
        Job died = job.withDeaths(job.deaths() + 1);
        return died.deaths() < config.attempts() ? died.queued() : died.ended(JobState.FAILED, now, Optional.of(
                "Its process ended unexpectedly (" + outcome.exit() + ") " + died.deaths()
                        + " times; the server's log may say why. Resume it to try again."));
    }

    private void heard(String id, JobFrame frame, PhaseClock clock) {
        if (frame instanceof JobFrame.Begun begun) {
            clock.next(Optional.of(begun.phase()));
            synchronized (this) {
                change(id, job -> job.begun(begun.phase()));
            }
            return;
        }
        synchronized (this) {
            // Where it stands within a phase is not worth a write.
            Job next = frame instanceof JobFrame.Progress progress
                    ? jobs.get(id).at(progress.share(), progress.secondsLeft() == null ? OptionalLong.empty()
                            : OptionalLong.of(progress.secondsLeft()))
                    : jobs.get(id).noted(((JobFrame.Note) frame).message());
            jobs.put(id, next);
            events.tell(next);
        }
    }

    /** Measures the phases that one process goes through. */
    private final class PhaseClock {
        private final String id;
        private Optional<Phase> phase = Optional.empty();
        private long since;

        PhaseClock(String id) {
            this.id = id;
        }

        void next(Optional<Phase> begins) {
            Duration spent = Duration.ofNanos(System.nanoTime() - since);
            phase.ifPresent(ended -> {
                synchronized (Jobs.this) {
                    change(id, job -> job.spent(ended, spent.toMillis() / 1000.0));
                }
                listeners.forEach(listener -> listener.phaseEnded(ended, spent));
            });
            phase = begins;
            since = System.nanoTime();
        }
    }

    private void activate(Job job) {
        SwapMode mode = job.activation().orElseThrow().swap();
        activator.activate(job.modelId(), job.manifestId(), mode).whenComplete((done, failure) -> {
            Optional<String> why = Optional.ofNullable(failure)
                    .map(f -> f instanceof CompletionException && f.getCause() != null ? f.getCause() : f)
                    .map(Throwable::getMessage);
            why.ifPresent(reason -> LOG.errorf("The result of re-quantization %s is not served: %s", job.id(), reason));
            synchronized (this) {
                change(job.id(), j -> j.activated(why));
            }
        });
    }
}
