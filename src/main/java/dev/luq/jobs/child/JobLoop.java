package dev.luq.jobs.child;

import dev.luq.protocol.FrameChannel;
import dev.luq.protocol.Frames;
import dev.luq.protocol.JobFrame;
import dev.luq.requant.pipeline.RequantizationException;
import dev.luq.requant.pipeline.RequantizationJob;
import dev.luq.requant.spec.Phase;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * The process of a job: frames out on standard output, log lines on standard error. The end of its input, that is when
 * the server asks for it, ends or is killed, makes it stop at the next point where nothing is half done. Signals that
 * reach a whole process group are ignored: the server decides.
 */
final class JobLoop implements RequantizationJob.Listener {

    /** Exit code after the last frame was written. */
    static final int EXIT_DONE = 0;
    /** Exit code when the server reads no more. */
    static final int EXIT_SERVER_LOST = 4;
    /** Exit code after a defect of ours. */
    static final int EXIT_DEFECT = 5;
    /** Exit code of a body that does not stop although it was asked to. */
    static final int EXIT_DEAF = 6;

    private static final String LOCK = "process.lock";

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
        OutputStream frames = FrameChannel.take();
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            Signal.handle(new Signal(name), SignalHandler.SIG_IGN);
        }
        preferAsVictim();
        JobLoop loop = new JobLoop(frames);
        Thread input = new Thread(loop::awaitEndOfInput, "luq-job-input");
        input.setDaemon(true);
        input.start();
        try (FileChannel lockFile = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
            // One whose server was killed may need a moment more to stop. The system drops the lock with the process.
            while (lockFile.tryLock() == null && !loop.cancelled()) {
                Thread.sleep(50);
            }
            loop.put(end(body, loop));
            exit(EXIT_DONE);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            e.printStackTrace();
            exit(EXIT_DEFECT);
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

    /** Where memory runs out, the system shall end this process and not one that serves. */
    private static void preferAsVictim() {
        try {
            Files.writeString(Path.of("/proc/self/oom_score_adj"), "800");
        } catch (IOException e) {
            System.err.println("FINE The system decides which process ends when memory runs out: " + e.getMessage());
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
        exit(EXIT_DEAF);
    }

    private synchronized void put(JobFrame frame) {
        try {
            writer.write(frame);
        } catch (IOException e) {
            exit(EXIT_SERVER_LOST);
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

    /** Ends at once: what is on the disk is whole at every moment. */
    private static void exit(int code) {
        Runtime.getRuntime().halt(code);
    }
}
