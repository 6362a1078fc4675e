package dev.luq.worker.child;

import dev.luq.worker.protocol.Frames;
import dev.luq.worker.protocol.WorkerFrame;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Writes a worker's frames on a thread of its own, so that the threads of the model never wait for the pipe. Frames
 * are written in the order they were put. Statistics are sent when they changed, at most four times a second.
 */
final class Outbox {

    /** Far more than the server leaves unread for a moment; when it is full, the server has stopped reading. */
    private static final int CAPACITY = 1 << 16;

    private static final long STATS_INTERVAL_MILLIS = 250;

    private final BlockingQueue<WorkerFrame> queue = new ArrayBlockingQueue<>(CAPACITY);
    private final Frames.Writer<WorkerFrame> writer;
    private final Runnable lost;
    private volatile Supplier<WorkerFrame.EngineStats> stats = () -> null;
    private WorkerFrame.EngineStats sentStats;
    private boolean lastWasSent;

    /**
     * @param out the stream to the server
     * @param lost called once when the server reads no more
     */
    Outbox(OutputStream out, Runnable lost) {
        this.writer = new Frames.Writer<>(WorkerFrame.class, new BufferedOutputStream(out, 1 << 16));
        this.lost = lost;
    }

    void start() {
        Thread thread = new Thread(this::run, "luq-outbox");
        thread.setDaemon(true);
        thread.start();
    }

    /** Queues a frame; never waits. Any thread. */
    void put(WorkerFrame frame) {
        if (!queue.offer(frame)) {
            lost.run();
        }
    }

    /** Sends statistics from now on. */
    void report(Supplier<WorkerFrame.EngineStats> source) {
        stats = source;
    }

    /** Queues the last frame and waits until everything was written. */
    synchronized void finish(WorkerFrame frame) throws InterruptedException {
        put(frame);
        while (!lastWasSent) {
            wait();
        }
    }

    private void run() {
        try {
            long statsDue = System.nanoTime();
            while (true) {
                long pause = Math.max(0, statsDue - System.nanoTime());
                WorkerFrame frame = queue.poll(pause, TimeUnit.NANOSECONDS);
                boolean last = false;
                // What has come together leaves together.
                for (; frame != null; frame = queue.poll()) {
                    writer.append(frame);
                    last |= frame instanceof WorkerFrame.LoadFailed;
                }
                writer.flush();
                if (last) {
                    written();
                    return;
                }
                if (System.nanoTime() - statsDue >= 0) {
                    statsDue = System.nanoTime() + STATS_INTERVAL_MILLIS * 1_000_000;
                    WorkerFrame.EngineStats now = stats.get();
                    if (now != null && !now.equals(sentStats)) {
                        writer.write(new WorkerFrame.Stats(now));
                        sentStats = now;
                    }
                }
            }
        } catch (IOException e) {
            lost.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void written() {
        lastWasSent = true;
        notifyAll();
    }
}
