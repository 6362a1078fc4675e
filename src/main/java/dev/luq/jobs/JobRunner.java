package dev.luq.jobs;

import dev.luq.protocol.JobFrame;
import dev.luq.requant.spec.Phase;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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
            work(jobs.take().id());
        }
    }

    private void work(String id) throws InterruptedException {
        Optional<JobProcess> started = start(id);
        if (started.isEmpty()) {
            return;
        }
        JobProcess process = started.get();
        LOG.infof("Re-quantization %s: process %d starts", id, process.pid());
        jobs.processStarted(id, process);
        JobProcess.Outcome outcome = process.await(frame -> handle(id, frame));
        phase(id, Optional.empty());
        jobs.processEnded(id, (job, cancelled) -> after(job, outcome, cancelled));
    }

    /**
     * The system may have too many processes or too little memory for a while.
     *
     * @return empty when the job ended
     */
    private Optional<JobProcess> start(String id) throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        while (true) {
            try {
                return Optional.of(JobProcess.start(id, launcher));
            } catch (IOException e) {
                LOG.errorf("The process of re-quantization %s cannot be started: %s", id, e.getMessage());
                if (jobs.isCancelled(id)) {
                    jobs.processEnded(
                            id, (job, cancelled) -> job.ended(JobState.CANCELLED, Instant.now(), Optional.empty()));
                    return Optional.empty();
                }
                if (pause.compareTo(LAST_PAUSE) > 0) {
                    jobs.processEnded(
                            id,
                            (job, cancelled) -> job.ended(
                                    JobState.FAILED,
                                    Instant.now(),
                                    Optional.of(
                                            "Its process cannot be started; the server's log says why. Resume it to try again.")));
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
