package dev.luq.worker;

import dev.luq.protocol.FrameException;
import dev.luq.protocol.Frames;
import dev.luq.protocol.WorkerFrame;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Supplier;

/**
 * Writes a worker's frames, on the thread that has them: handing each to another thread costs more than writing it, and
 * that at the expense of the threads that compute. Frames of one thread are written in order. The server reads all the
 * time and keeps what its clients do not read; if it does stop, a thread of the model waits here as everything else
 * does that goes to the server. Statistics are sent before the frame that ends a request, so that whoever has its answer
 * finds it counted; within a quarter of a second when requests came; else every second as long as they change.
 */
final class Outbox {

    private static final long STATS_INTERVAL_MILLIS = 250;
    /** Intervals between two frames that only say how far the same requests are: each costs as much as a few tokens. */
    private static final int INTERVALS_OF_PROGRESS = 4;

    private final Runnable lost;
    // guarded by this
    private final Frames.Writer<WorkerFrame> writer;
    private Supplier<WorkerFrame.EngineStats> statistics;
    private WorkerFrame.EngineStats sent;

    /**
     * @param out the stream to the server
     * @param lost called when the server reads no more
     */
    Outbox(OutputStream out, Runnable lost) {
        this.writer =
                new Frames.Writer<>(WorkerFrame.class, new BufferedOutputStream(out, 1 << 16), WorkerFrame.LONGEST);
        this.lost = lost;
    }

    /** Writes a frame. Any thread; returns when the frame is in the pipe. */
    synchronized void put(WorkerFrame frame) {
        if (statistics != null && isCounted(frame)) {
            sendStats(statistics.get());
        }
        write(frame);
    }

    /** Whether it ends a request that statistics count. */
    private static boolean isCounted(WorkerFrame frame) {
        return frame instanceof WorkerFrame.Finished
                || frame instanceof WorkerFrame.Failed
                || frame instanceof WorkerFrame.Embeddings;
    }

    private void write(WorkerFrame frame) {
        try {
            try {
                writer.write(frame);
            } catch (FrameException e) {
                writer.write(instead(frame, e));
            }
        } catch (IOException e) {
            lost.run();
        }
    }

    /** What ends the request of a frame that cannot be written. */
    private static WorkerFrame instead(WorkerFrame frame, FrameException e) throws FrameException {
        if (frame instanceof WorkerFrame.OfRequest ofRequest) {
            return new WorkerFrame.Failed(
                    ofRequest.id(), "internal_error", "A piece of the answer cannot be sent", null);
        }
        throw e;
    }

    /** Sends statistics from now on. Called once. */
    synchronized void report(Supplier<WorkerFrame.EngineStats> source) {
        statistics = source;
        Thread thread = new Thread(
                () -> {
                    try {
                        keepReporting();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "luq-stats");
        thread.setDaemon(true);
        thread.start();
    }

    private void keepReporting() throws InterruptedException {
        for (int silent = 1; ; silent++) {
            if (reportIfDue(silent >= INTERVALS_OF_PROGRESS)) {
                silent = 0;
            }
            Thread.sleep(STATS_INTERVAL_MILLIS);
        }
    }

    private synchronized boolean reportIfDue(boolean progress) {
        WorkerFrame.EngineStats now = statistics.get();
        return (progress || !sameRequests(now, sent)) && sendStats(now);
    }

    /** @return whether there was anything new in them */
    private boolean sendStats(WorkerFrame.EngineStats now) {
        if (now.equals(sent)) {
            return false;
        }
        write(new WorkerFrame.Stats(now));
        sent = now;
        return true;
    }

    private static boolean sameRequests(WorkerFrame.EngineStats now, WorkerFrame.EngineStats sent) {
        return sent != null
                && now.running() == sent.running()
                && now.waiting() == sent.waiting()
                && now.cancelled() == sent.cancelled()
                && now.promptTokens() == sent.promptTokens();
    }
}
