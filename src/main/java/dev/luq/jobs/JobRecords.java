package dev.luq.jobs;

import dev.luq.files.ProcessLock;
import dev.luq.requant.spec.RequantizationSpec;
import io.smallrye.mutiny.subscription.MultiEmitter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jboss.logging.Logger;

/**
 * What is known of the jobs of a data folder. Every change of state is on the disk before a watcher sees it. One server
 * at a time has the records. Its owner calls one method after the other.
 */
final class JobRecords {

    private static final Logger LOG = Logger.getLogger(JobRecords.class);

    private final JobFolders folders;
    private final JobEvents events = new JobEvents();
    /** By id, which is the order of time. */
    private final NavigableMap<String, Job> jobs = new TreeMap<>();
    /** The lock on the folder; null until this server has it. */
    private ProcessLock lock;

    JobRecords(JobFolders folders) {
        this.folders = folders;
    }

    /** Whether there may be any. */
    boolean exist() {
        return folders.exist();
    }

    /** Whether they are this server's, or were until {@link #close}. */
    boolean areOurs() {
        return lock != null;
    }

    /**
     * Takes the records over and reads them, unless another server has them.
     *
     * @return whether they are this one's
     * @throws JobRequestException.NotSaved when the folder cannot be read or written; they are not this one's then
     */
    boolean take() {
        try {
            Optional<ProcessLock> taken = folders.lock();
            if (taken.isEmpty()) {
                return false;
            }
            lock = taken.get();
            folders.load().forEach(job -> jobs.put(job.id(), job));
            return true;
        } catch (IOException e) {
            close();
            lock = null;
            throw new JobRequestException.NotSaved(e);
        }
    }

    /** Leaves them to another server: no change is recorded any more. */
    void close() {
        if (lock != null) {
            try {
                lock.close();
            } catch (UncheckedIOException e) {
                LOG.warnf("The lock of the jobs cannot be released: %s", e.getMessage());
            }
        }
    }

    /** The earliest first. */
    List<Job> all() {
        return List.copyOf(jobs.values());
    }

    /** As {@link #all}; of another server's, what it has recorded: all but their progress. */
    List<Job> seen() {
        if (areOurs()) {
            return all();
        }
        try {
            return folders.exist() ? folders.load() : List.of();
        } catch (IOException e) {
            LOG.debug("The folder of the jobs cannot be read", e);
            return List.of();
        }
    }

    /** @throws JobRequestException.NotFound when there is none */
    Job get(String id) {
        Job job = jobs.get(id);
        if (job == null) {
            throw new JobRequestException.NotFound(id);
        }
        return job;
    }

    /** Those in this state, the earliest first. */
    List<Job> in(JobState state) {
        return jobs.values().stream().filter(job -> job.state() == state).toList();
    }

    /** Jobs that will run before this one, those that run included; empty unless it is queued, and this server's. */
    OptionalLong position(String id) {
        Job job = jobs.get(id);
        return job == null || job.state() != JobState.QUEUED
                ? OptionalLong.empty()
                : OptionalLong.of(in(JobState.RUNNING).size()
                        + in(JobState.QUEUED).stream()
                                .filter(other -> other.id().compareTo(id) < 0)
                                .count());
    }

    /**
     * The job that a request with this key made, if any.
     *
     * @throws JobRequestException.KeyReused when that was another request
     */
    Optional<Job> find(Job.Idempotency idempotency) {
        Optional<Job> before = jobs.values().stream()
                .filter(job -> job.idempotency()
                        .filter(i -> i.key().equals(idempotency.key()))
                        .isPresent())
                .findFirst();
        before.flatMap(Job::idempotency)
                .filter(i -> !i.request().equals(idempotency.request()))
                .ifPresent(i -> {
                    throw new JobRequestException.KeyReused();
                });
        return before;
    }

    /** Where the job's description, report and working files lie. */
    Path folder(Job job) {
        return folders.of(job.id());
    }

    /** @throws JobRequestException.NotSaved when the disk does not take it; there is no such job then */
    void add(Job job, RequantizationSpec spec) {
        try {
            spec.write(folders.create(job.id()));
            folders.save(job);
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "Re-quantization %s cannot be recorded", job.id());
            throw new JobRequestException.NotSaved(e);
        }
        jobs.put(job.id(), job);
        events.publish(job);
    }

    /** @throws JobRequestException.NotSaved when the disk does not take it */
    void delete(String id) {
        try {
            folders.delete(id);
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "Re-quantization %s cannot be deleted", id);
            throw new JobRequestException.NotSaved(e);
        }
        jobs.remove(id);
        events.forget(id);
    }

    /**
     * Records a change that a client asked for.
     *
     * @return the job as it is now
     * @throws JobRequestException.NotSaved when the disk does not take it; the job is as before then
     * @throws JobRequestException.Elsewhere when they were left to another server
     */
    Job changeOnDisk(String id, UnaryOperator<Job> change) {
        if (!lock.isHeld()) {
            throw new JobRequestException.Elsewhere();
        }
        Job before = jobs.get(id);
        Job next = change.apply(before);
        try {
            folders.save(next);
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "The state of re-quantization %s cannot be recorded", id);
            throw new JobRequestException.NotSaved(e);
        }
        publish(before, next);
        return next;
    }

    /**
     * Records a change that has happened. One that the disk does not take counts as long as the server runs.
     *
     * @return the job as it is now
     */
    Job change(String id, UnaryOperator<Job> change) {
        Job before = jobs.get(id);
        Job next = change.apply(before);
        try {
            if (lock.isHeld()) {
                folders.save(next);
            }
        } catch (UncheckedIOException e) {
            LOG.errorf(e, "The state of re-quantization %s cannot be recorded", id);
        }
        publish(before, next);
        return next;
    }

    /** Where a job runs or waits no more, those that wait behind it have another position. */
    private void publish(Job before, Job next) {
        jobs.put(next.id(), next);
        events.publish(next);
        if (!before.state().isFinal() && next.state().isFinal()) {
            in(JobState.QUEUED).forEach(events::publish);
        }
    }

    /** A change that watchers see but that is not written. */
    void update(String id, UnaryOperator<Job> change) {
        Job next = change.apply(jobs.get(id));
        jobs.put(id, next);
        events.publish(next);
    }

    /** Gives a watcher a job's present state and its later ones. */
    void watch(Job job, MultiEmitter<? super JobEvents.Event> watcher) {
        events.watch(job, watcher);
    }
}
