package dev.luq.jobs;

import dev.luq.process.ChildCommand;
import dev.luq.process.LogRelay;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.Frames;
import dev.luq.protocol.JobFrame;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** The child process that works on a job. It ends with its input. */
final class JobProcess {

    private static final Logger LOG = Logger.getLogger("dev.luq.jobs.process");

    /** Longer than the process gives itself. */
    private static final long KILL_SECONDS = 70;

    /** Longest frame accepted; the longest is a sentence. */
    private static final long FRAME_LIMIT = 1 << 16;

    /**
     * How a process ended.
     *
     * @param last its last frame; empty when it died
     */
    record Outcome(Optional<JobFrame> last, ProcessExit exit) {}

    private final String jobId;
    private final JobLauncher launcher;
    private final Instant started;
    private final Process process;

    private JobProcess(String jobId, JobLauncher launcher, Instant started, Process process) {
        this.jobId = jobId;
        this.launcher = launcher;
        this.started = started;
        this.process = process;
    }

    /** @throws IOException when the system cannot start the process */
    static JobProcess start(String jobId, JobLauncher launcher) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(launcher.command(jobId));
        ChildCommand.environment(builder.environment());
        Instant started = Instant.now();
        return new JobProcess(jobId, launcher, started, LogRelay.start(builder, LOG, jobId));
    }

    long pid() {
        return process.pid();
    }

    /** Takes the process's frames until it is gone. */
    Outcome await(Consumer<JobFrame> frames) throws InterruptedException {
        Optional<JobFrame> last = Optional.empty();
        try {
            Frames.Reader<JobFrame> reader = new Frames.Reader<>(JobFrame.class, process.getInputStream(), FRAME_LIMIT);
            for (JobFrame frame = reader.read(); frame != null; frame = reader.read()) {
                if (frame instanceof JobFrame.Done
                        || frame instanceof JobFrame.Cancelled
                        || frame instanceof JobFrame.Failed) {
                    last = Optional.of(frame);
                } else {
                    frames.accept(frame);
                }
            }
        } catch (IOException e) {
            LOG.errorf("The output of job %s cannot be read: %s", jobId, e.getMessage());
            stop();
        }
        int code = process.waitFor();
        ProcessExit exit = new ProcessExit(code, launcher.crashReport(jobId, process.pid(), started));
        if (last.isEmpty()) {
            LOG.errorf("The process %d of job %s died (%s)", process.pid(), jobId, exit.forOperator());
        }
        return new Outcome(last, exit);
    }

    /** Asks the process to stop where nothing is half done; one that does not is killed. Returns at once. */
    void stop() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            LOG.debugf("The input of job %s is closed already: %s", jobId, e.getMessage());
        }
        CompletableFuture.delayedExecutor(KILL_SECONDS, TimeUnit.SECONDS).execute(process::destroyForcibly);
    }
}
