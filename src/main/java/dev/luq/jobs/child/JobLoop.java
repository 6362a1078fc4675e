package dev.luq.jobs.child;

import dev.luq.files.ProcessLock;
import dev.luq.process.ChildMain;
import dev.luq.protocol.Frames;
import dev.luq.protocol.JobFrame;
import dev.luq.requant.pipeline.RequantizationException;
import dev.luq.requant.pipeline.RequantizationJob;
import dev.luq.requant.spec.Phase;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The process of a job: frames out on standard output, log lines on standard error. The end of its input, that is when
 * the server asks for it, ends or is killed, makes it stop at the next point where nothing is half done.
 */
final class JobLoop implements RequantizationJob.Listener {

    /** Exit code of a body that did not stop within {@link #STOP_MILLIS} of being asked to. */
    static final int EXIT_STOP_TIMEOUT = 6;

    /** Above that of a decoder: a job goes on where it was. */
    private static final int OOM_SCORE = 800;

    /** Longest time from the end of the input to the end of the process. */
    private static final long STOP_MILLIS = 60_000;

    private final Frames.Writer<JobFrame> writer;
    private volatile boolean cancelled;

    private JobLoop(OutputStream out) {
        this.writer = new Frames.Writer<>(JobFrame.class, new BufferedOutputStream(out, 1 << 16));
    }

    /**
     * Runs a job in this process. Returns never; the process ends.
     *
     * @param folder of the job; one process works in it at a time
     * @param body of the job, run to its end; after a process that died it goes on where that one was. Ends with a
     *     {@link RequantizationException} when it is cancelled or cannot go on; tells the listener from any thread
     */
    static void run(Path folder, Consumer<RequantizationJob.Listener> body) {
        OutputStream frames = ChildMain.begin();
        ChildMain.oomScore(OOM_SCORE);
        JobLoop loop = new JobLoop(frames);
        Thread input = new Thread(loop::awaitEndOfInput, "luq-job-input");
        input.setDaemon(true);
        input.start();
        // One whose server was killed may need a moment more to stop.
        try (ProcessLock alone = ProcessLock.take(folder.resolve(RequantizationJob.LOCK), loop::cancelled, () -> {})
                .orElse(null)) {
            loop.put(end(body, loop));
            ChildMain.exit(ChildMain.EXIT_ASKED);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            e.printStackTrace();
            ChildMain.exit(ChildMain.EXIT_DEFECT);
        }
    }

    private static JobFrame end(Consumer<RequantizationJob.Listener> body, JobLoop loop) {
        if (loop.cancelled()) {
            return new JobFrame.Cancelled();
        }
        try {
            body.accept(loop);
            return new JobFrame.Done();
        } catch (RequantizationException.Cancelled e) {
            return new JobFrame.Cancelled();
        } catch (RequantizationException.Failed e) {
            if (e.getCause() != null) {
                e.getCause().printStackTrace();
            }
            return new JobFrame.Failed(e.getMessage());
        }
    }

    private void awaitEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // nothing is said there
            }
        } catch (IOException e) {
            // as good as its end
        }
        cancelled = true;
        try {
            Thread.sleep(STOP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ChildMain.exit(EXIT_STOP_TIMEOUT);
    }

    private synchronized void put(JobFrame frame) {
        try {
            writer.write(frame);
        } catch (IOException e) {
            ChildMain.exit(ChildMain.EXIT_SERVER_LOST);
        }
    }

    @Override
    public void phase(Phase phase) {
        put(new JobFrame.Begun(phase));
    }

    @Override
    public void progress(double overall, OptionalLong secondsLeft) {
        put(new JobFrame.Progress(overall, secondsLeft.isPresent() ? secondsLeft.getAsLong() : null));
    }

    @Override
    public void message(String text) {
        put(new JobFrame.Note(text));
    }

    @Override
    public boolean cancelled() {
        return cancelled;
    }
}
