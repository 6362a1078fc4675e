package dev.luq.serving;

import dev.luq.process.ChildCommand;
import dev.luq.process.LogRelay;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.FrameException;
import dev.luq.protocol.Frames;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * One running child process. Frames are written by a thread of its own, so that {@link #send} never waits for a worker
 * that does not read; another thread reads and tells {@link Events}; a third relays the log. The process ends when
 * {@link #close()} closes its standard input, or by {@link #kill()}.
 */
final class WorkerProcess {

    /** How long a worker whose output ended may take to be gone. */
    private static final long EXIT_SECONDS = 5;

    private static final ServerFrame CLOSE = new ServerFrame.Cancel("");

    /**
     * Called on the reading thread of the process, in order; {@link #ended} comes last and exactly once. A request that
     * cannot be written fails on the writing thread.
     */
    interface Events {
        void frame(WorkerProcess process, WorkerFrame frame);

        void ended(WorkerProcess process, ProcessExit exit);
    }

    private final String modelId;
    private final ChildCommand command;
    private final Blackbox blackbox;
    private final Instant started;
    private final Process process;
    private final Events events;
    private final Logger log;
    private final LinkedBlockingDeque<ServerFrame> outbox = new LinkedBlockingDeque<>();
    private final SentImages images = new SentImages();

    private WorkerProcess(
            String modelId, ChildCommand command, Blackbox blackbox, Instant started, Process process, Events events) {
        this.modelId = modelId;
        this.command = command;
        this.blackbox = blackbox;
        this.started = started;
        this.process = process;
        this.events = events;
        this.log = logger(modelId);
    }

    private static Logger logger(String modelId) {
        return Logger.getLogger("dev.luq.worker." + modelId.replace('.', '_'));
    }

    /** @throws IOException when the system cannot start the process; {@code events} hears nothing then */
    static WorkerProcess start(String modelId, ChildCommand command, Events events) throws IOException {
        Blackbox blackbox = blackbox(command);
        Process process = null;
        WorkerProcess worker = null;
        boolean started = false;
        try {
            ProcessBuilder builder = new ProcessBuilder(
                    blackbox.isKept() ? command.line(modelId, blackbox.file().toString()) : command.line(modelId));
            ChildCommand.environment(builder.environment());
            Instant before = Instant.now();
            process = LogRelay.start(builder, logger(modelId), modelId);
            worker = new WorkerProcess(modelId, command, blackbox, before, process, events);
            worker.thread("write", worker::write);
            worker.thread("read", worker::read);
            started = true;
            return worker;
        } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
            throw new IOException(e.getMessage(), e);
        } finally {
            if (!started) {
                blackbox.unlink();
                if (worker != null) {
                    worker.close(); // ends the thread that writes
                }
                if (process != null) {
                    process.destroyForcibly();
                }
            }
        }
    }

    /** Without one it is not known what a crash was caused by, which is no reason not to serve. */
    private static Blackbox blackbox(ChildCommand command) {
        try {
            return Blackbox.create(Files.createDirectories(command.crashFolder()));
        } catch (IOException e) {
            Logger.getLogger(WorkerProcess.class)
                    .warnf(
                            "What a worker works on when it dies will not be known:"
                                    + " luq.worker.process.crash-dir takes no file: %s",
                            e.getMessage());
            return Blackbox.none();
        }
    }

    private void thread(String role, Runnable body) {
        Thread thread = new Thread(body, "luq-worker-" + role + "-" + modelId);
        thread.setDaemon(true);
        thread.start();
    }

    long pid() {
        return process.pid();
    }

    /** What it works on, or worked on when it ended. */
    Blackbox blackbox() {
        return blackbox;
    }

    /** Queues a frame; never waits. What is sent to a dead process is lost, and {@link Events#ended} tells. */
    void send(ServerFrame frame) {
        outbox.add(frame);
    }

    /**
     * Cancels a request.
     *
     * @return false when the worker had not seen it yet and never will: no answer is to be expected
     */
    boolean cancel(String id) {
        if (outbox.removeIf(frame ->
                frame instanceof ServerFrame.OfRequest request && request.id().equals(id))) {
            return false;
        }
        outbox.add(new ServerFrame.Cancel(id));
        return true;
    }

    /** Asks the process to end by the end of its input, after what was sent before. */
    void close() {
        outbox.add(CLOSE);
    }

    void kill() {
        process.destroyForcibly();
    }

    /** @return whether the process is gone within this time */
    boolean awaitExit(long millis) throws InterruptedException {
        return process.waitFor(millis, TimeUnit.MILLISECONDS);
    }

    private void write() {
        try (BufferedOutputStream out = new BufferedOutputStream(process.getOutputStream(), 1 << 16)) {
            Frames.Writer<ServerFrame> writer = new Frames.Writer<>(ServerFrame.class, out, ServerFrame.LONGEST);
            while (true) {
                ServerFrame frame = outbox.take();
                if (frame == CLOSE) {
                    return;
                }
                try {
                    write(frame, writer);
                } catch (FrameException e) {
                    refuse(frame);
                }
            }
        } catch (IOException e) {
            log.debugf("The worker reads no more: %s", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(ServerFrame frame, Frames.Writer<ServerFrame> writer) throws IOException {
        if (frame instanceof ServerFrame.OfRequest request) {
            writer.write(images.written(request));
        } else if (!(frame instanceof ServerFrame.ForgetImage image) || !images.isNeeded(image.sha256())) {
            writer.write(frame);
        }
    }

    /** The request of a frame that cannot be written fails; the worker never hears of it. */
    private void refuse(ServerFrame frame) {
        if (frame instanceof ServerFrame.OfRequest request) {
            outbox.addAll(images.prepared(request.id()));
            events.frame(
                    this,
                    new WorkerFrame.Failed(
                            request.id(),
                            "request_too_large",
                            "The request cannot be sent to the model's process: it is too large, or its text is no"
                                    + " Unicode. Send less text or fewer images.",
                            null));
        } else {
            log.errorf(
                    "A frame to the worker cannot be written: %s",
                    frame.getClass().getSimpleName());
        }
    }

    private void read() {
        try {
            Frames.Reader<WorkerFrame> reader =
                    new Frames.Reader<>(WorkerFrame.class, process.getInputStream(), WorkerFrame.LONGEST);
            for (WorkerFrame frame = reader.read(); frame != null; frame = reader.read()) {
                blackbox.unlink(); // the worker has it, and nothing is left over if this server is killed
                if (frame instanceof WorkerFrame.OfRequest ofRequest && !(frame instanceof WorkerFrame.Delta)) {
                    outbox.addAll(images.prepared(ofRequest.id()));
                }
                events.frame(this, frame);
            }
        } catch (FrameException e) {
            // Foreign code may have written there; awaitExit() gives a crashing JVM the time to write its report.
            log.errorf("The worker's output cannot be understood: %s", e.getMessage());
        } catch (IOException e) {
            log.debugf("The worker's output ended: %s", e.getMessage());
        } catch (RuntimeException | Error e) {
            log.error("The worker is ended because of a defect in handling its output", e);
            kill();
        } finally {
            events.ended(this, awaitExit());
        }
    }

    private ProcessExit awaitExit() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
                        kill();
                    }
                    int code = process.waitFor();
                    return new ProcessExit(code, command.crashReport(modelId, process.pid(), started));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            close();
            blackbox.unlink();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
