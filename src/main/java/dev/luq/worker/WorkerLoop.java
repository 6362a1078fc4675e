package dev.luq.worker;

import dev.luq.files.PlainText;
import dev.luq.process.ChildMain;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.Frames;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/**
 * A worker process: frames in on standard input, frames out on standard output, log lines on standard error. It ends
 * with its input, see {@link ChildMain}.
 */
final class WorkerLoop {

    /** Exit code after {@link WorkerFrame.LoadFailed}. */
    static final int EXIT_LOAD_FAILED = 6;

    /** Where a machine runs out of memory, a model is loaded again rather than the server lost. */
    private static final int OOM_SCORE = 300;

    /** Characters of a log line. */
    private static final int LONGEST_LINE = 4000;

    private final ModelHost host;
    private final Outbox outbox;
    private final KeptImages images = new KeptImages();
    private volatile boolean ready;

    private WorkerLoop(ModelHost host, OutputStream out) {
        this.host = host;
        this.outbox = new Outbox(out, () -> ChildMain.exit(ChildMain.EXIT_SERVER_LOST));
    }

    /** Runs a worker in this process. Returns never; the process ends. */
    static void run(ModelHost host) {
        OutputStream frames = ChildMain.begin();
        ChildMain.oomScore(OOM_SCORE);
        Thread.setDefaultUncaughtExceptionHandler((thread, defect) -> {
            log("ERROR", "Defect in thread " + thread.getName());
            defect.printStackTrace();
            ChildMain.exit(ChildMain.EXIT_DEFECT);
        });
        new WorkerLoop(host, frames).serve();
    }

    /**
     * Writes a log line that the server relays.
     *
     * @param level a level of the server's log
     */
    static void log(String level, String message) {
        System.err.println(level + " " + PlainText.of(message, LONGEST_LINE));
    }

    /**
     * What the server learns from after this process died.
     *
     * @param arguments of the process: the file, or nothing
     */
    static Blackbox blackbox(String[] arguments) {
        try {
            return arguments.length == 0 ? Blackbox.none() : Blackbox.open(Path.of(arguments[0]));
        } catch (IOException e) {
            log("WARN", "What is worked on will not be known after a crash: " + e.getMessage());
            return Blackbox.none();
        }
    }

    private void serve() {
        Frames.Reader<ServerFrame> reader = new Frames.Reader<>(
                ServerFrame.class,
                new BufferedInputStream(new FileInputStream(FileDescriptor.in), 1 << 16),
                ServerFrame.LONGEST);
        try {
            for (ServerFrame frame = reader.read(); frame != null; frame = reader.read()) {
                handle(frame);
            }
            ChildMain.exit(ChildMain.EXIT_ASKED);
        } catch (IOException e) {
            log("ERROR", "The server's frames cannot be read: " + e.getMessage());
            ChildMain.exit(ChildMain.EXIT_SERVER_LOST);
        }
    }

    private void handle(ServerFrame frame) {
        if (frame instanceof ServerFrame.Load load) {
            // Not on this thread: it has to notice the end of the input while a model loads.
            new Thread(() -> load(load), "luq-load").start();
        } else if (frame instanceof ServerFrame.OfRequest request) {
            ServerFrame.OfRequest whole = images.whole(request);
            if (!ready) {
                outbox.put(new WorkerFrame.Failed(request.id(), "internal_error", "The model is not loaded", null));
            } else if (whole instanceof ServerFrame.Query<?> query) {
                host.submit(query, outbox::put);
            } else if (whole instanceof ServerFrame.Generate generate) {
                host.submit(generate, outbox::put);
            }
        } else if (frame instanceof ServerFrame.ForgetImage image) {
            images.forget(image);
        } else if (frame instanceof ServerFrame.Cancel cancel && ready) {
            host.cancel(cancel.id());
        }
    }

    private void load(ServerFrame.Load load) {
        try {
            WorkerFrame.ModelInfo info =
                    host.load(load, progress -> outbox.put(new WorkerFrame.Loading((float) progress)));
            ready = true;
            outbox.put(new WorkerFrame.Ready(info));
            outbox.report(host::stats);
        } catch (LoadException e) {
            log("ERROR", "The model cannot be loaded: " + e.getMessage());
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                if (!e.getMessage().contains(String.valueOf(cause.getMessage()))) {
                    log("ERROR", "Its cause: " + cause);
                }
            }
            outbox.put(new WorkerFrame.LoadFailed(e.code(), e.getMessage()));
            ChildMain.exit(EXIT_LOAD_FAILED);
        }
    }
}
