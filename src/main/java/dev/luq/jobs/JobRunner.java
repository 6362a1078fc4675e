package dev.luq.jobs;

import dev.luq.protocol.JobFrame;
import dev.luq.requant.spec.Phase;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import org.jboss.logging.Logger;

/** Works through the queue, one job after the other, each in a process of its own. For one thread. */
final class JobRunner {

    private static final Logger LOG = Logger.getLogger(JobRunner.class);

    /** Pauses between attempts to start a process: they double, a minute in all. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

    private static final Duration LAST_PAUSE = Duration.ofSeconds(32);

    private final Jobs jobs;
    private final JobLauncher launcher;
    private final List<JobListener> listeners;
    private final int attempts;
    private Optional<Phase> phase = Optional.empty();
    private long phaseSince;

    /** @param attempts processes that may die on a job */
    JobRunner(Jobs jobs, JobLauncher launcher, List<JobListener> listeners, int attempts) {
        this.jobs = jobs;
        this.launcher = launcher;
        this.listeners = listeners;
        this.attempts = attempts;
    }

    /** Ends by interrupt only. */
    void run() throws InterruptedException {
        while (true) {
            String id = jobs.take().id();
            jobs.processEnded(id, work(id));
        }
    }

    /** @return the job's next state, as {@link Jobs#processEnded} takes it; a defect is one job's, not the queue's */
    private BiFunction<Job, Boolean, Job> work(String id) throws InterruptedException {
        phase = Optional.empty();
        try {
            Optional<JobProcess> started = start(id);
            if (started.isEmpty()) {
                return failed("Its process cannot be started");
            }
            JobProcess.Outcome outcome = await(id, started.get());
            phase(id, Optional.empty());
            return (job, cancelled) -> after(job, outcome, cancelled);
        } catch (RuntimeException | Error e) {
            LOG.errorf(e, "Re-quantization %s cannot go on", id);
            return failed("It cannot go on");
        }
    }

    private JobProcess.Outcome await(String id, JobProcess process) throws InterruptedException {
        LOG.infof("Re-quantization %s: process %d starts", id, process.pid());
        try {
            jobs.processStarted(id, process);
            return process.await(frame -> handle(id, frame));
        } catch (RuntimeException | Error e) {
            // Never two processes with one job.
            process.stop();
            process.await(frame -> {});
            throw e;
        }
    }

    private static BiFunction<Job, Boolean, Job> failed(String what) {
        return (job, cancelled) -> cancelled
                ? job.ended(JobState.CANCELLED, Instant.now(), Optional.empty())
                : job.ended(
                        JobState.FAILED,
                        Instant.now(),
                        Optional.of(what + "; the server's log says why. Resume it to try again."));
    }

    /**
     * The system may have too many processes or too little memory for a while.
     *
     * @return empty when it does not start one, or the job is cancelled
     */
    private Optional<JobProcess> start(String id) throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        while (true) {
            try {
                return Optional.of(JobProcess.start(id, launcher));
            } catch (IOException e) {
                LOG.errorf("The process of re-quantization %s cannot be started: %s", id, e.getMessage());
                if (jobs.isCancelled(id) || pause.compareTo(LAST_PAUSE) > 0) {
                    return Optional.empty();
                }
            }
            Thread.sleep(pause.toMillis());
            pause = pause.multipliedBy(2);
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
        return died.deaths() < attempts
                ? died.queued()
                : died.ended(
                        JobState.FAILED,
                        now,
                        Optional.of("Its process ended unexpectedly (" + outcome.exit() + ") " + died.deaths()
                                + " times; "
                                + (outcome.exit().signal().equals("SIGKILL")
                                        ? "most likely memory ran out"
                                        : "the server's" + " log says more")
                                + ". Resume it to try again."));
    }

    private void handle(String id, JobFrame frame) {
        if (frame instanceof JobFrame.Begun begun) {
            phase(id, Optional.of(begun.phase()));
            jobs.record(id, job -> job.begun(begun.phase()));
        } else if (frame instanceof JobFrame.Progress progress) {
            jobs.update(
                    id,
                    job -> job.at(
                            progress.share(),
                            progress.secondsLeft() == null
                                    ? OptionalLong.empty()
                                    : OptionalLong.of(progress.secondsLeft())));
        } else if (frame instanceof JobFrame.Note note) {
            jobs.update(id, job -> job.noted(note.message()));
        }
    }

    /** Measures the phase that ends. */
    private void phase(String id, Optional<Phase> begins) {
        Duration spent = Duration.ofNanos(System.nanoTime() - phaseSince);
        phase.ifPresent(ended -> {
            jobs.record(id, job -> job.spent(ended, spent.toMillis() / 1000.0));
            listeners.forEach(listener -> listener.phaseEnded(ended, spent));
        });
        phase = begins;
        phaseSince = System.nanoTime();
    }
}
