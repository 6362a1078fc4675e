package dev.luq.decoder;

import dev.luq.decoder.DecoderException.Reason;
import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import dev.luq.images.ImageException;
import dev.luq.images.ImageHeader;
import dev.luq.images.Pixels;
import dev.luq.machine.Processors;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessExit;
import dev.luq.serving.WorkerConfig;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Decodes images in processes of their own, because a decoder can neither be interrupted nor held to a share of the heap:
 * one that takes too long or too much memory, or ends, is replaced, and only the request that sent the image fails.
 * Clients take turns, and the images of one are decoded in the order in which they came, those that take much memory one
 * at a time. Processes are started when they are needed. Thread-safe.
 */
@Singleton
public final class DecoderPool {

    private static final Logger LOG = Logger.getLogger(DecoderPool.class);

    private static final String MAIN_CLASS = "dev.luq.decoder.child.DecoderMain";
    /** In the names of crash reports. */
    private static final String NAME = "decoder";
    /** Large arrays have the old generation alone, which is to have all memory but this. */
    private static final int YOUNG_MEGABYTES = 32;

    private static final int BASE_MEGABYTES = 16;
    /** Quick to start, and small again after a large image. */
    private static final List<String> TUNING = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=16m",
            "-XX:NewSize=8m",
            "-XX:MaxNewSize=" + YOUNG_MEGABYTES + "m",
            "-XX:-ShrinkHeapInSteps");

    /** The client that a decoder is started for before there is one. */
    private static final String OURSELVES = "";

    private static final int FEWEST = 2;
    private static final int MOST = 4;
    /** A megapixel takes 20 to 150 ms, and several times as much where others compute. */
    private static final Duration LEAST_TIME = Duration.ofSeconds(4);

    private static final long NANOS_PER_PIXEL = 1000;
    /** The start of a Java process on a busy machine. */
    private static final Duration START = Duration.ofSeconds(30);

    private static final long CRASH_REPORT_MILLIS = 1000;
    /** What takes more than this part of the memory is decoded alone of its kind. */
    private static final int LARGE = 2;

    private final DecoderConfig config;
    private final ChildCommand command;
    private final List<String> commandLine;
    private final List<DecoderListener> listeners;
    private final DecoderPermits permits;
    private final ScheduledThreadPoolExecutor timer;
    private final ScheduledFuture<?> idleCheck;
    // guarded by this; the one used last comes first
    private final ArrayDeque<DecoderProcess> idle = new ArrayDeque<>();
    private boolean closed;

    @Inject
    public DecoderPool(DecoderConfig config, WorkerConfig worker, @All List<DecoderListener> listeners) {
        this(config, command(config, worker, MAIN_CLASS), listeners);
    }

    DecoderPool(DecoderConfig config, ChildCommand command, List<DecoderListener> listeners) {
        this.config = config;
        this.command = command;
        this.commandLine = command.line(NAME);
        this.listeners = listeners;
        int concurrent = config.concurrentDecodes();
        permits = new DecoderPermits(
                concurrent > 0 ? concurrent : Math.min(MOST, Math.max(FEWEST, Processors.available())),
                config.decodeQueue());
        timer = new ScheduledThreadPoolExecutor(1, body -> {
            Thread thread = new Thread(body, "luq-decoders");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        // It is never shut down, for what is at work at the end has its deadline yet.
        timer.setKeepAliveTime(1, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        long interval = Math.max(1, config.decoderIdle().toMillis() / 4);
        idleCheck = timer.scheduleWithFixedDelay(this::endIdle, interval, interval, TimeUnit.MILLISECONDS);
    }

    static ChildCommand command(DecoderConfig config, WorkerConfig worker, String mainClass) {
        long heapMegabytes =
                (config.decodeMemory() + config.decodeMemory() / 8 >> 20) + YOUNG_MEGABYTES + BASE_MEGABYTES;
        return new ChildCommand(
                worker.process(), mainClass, NAME, heapMegabytes + "m", TUNING, List.of("com.twelvemonkeys"));
    }

    /** Bytes that decoding one image may take, for {@link ImageHeader#every}. */
    public long memory() {
        return config.decodeMemory();
    }

    /** Starts a decoder, so that the first image need not wait for it. Returns at once. */
    public void prepare() {
        Thread thread = new Thread(() -> permits.takeFree(OURSELVES).ifPresent(this::startOne), "luq-decoder-start");
        thread.setDaemon(true);
        thread.start();
    }

    private void startOne(DecoderPermits.Permit permit) {
        try (permit) {
            keep(takeOrStart(false));
        } catch (DecoderException e) {
            LOG.debug("No decoder could be started ahead of the first image");
        }
    }

    /**
     * Waits for a decoder, and for its pixels: upright, RGB, transparent parts on white.
     *
     * @param header of the data
     * @param every of the header's pixels, at most {@link #memory} bytes of memory
     * @param maxPixels of the result
     * @param client whose image it is
     * @param gone whether that has left; then it is not begun
     * @throws ImageException the image is damaged
     * @throws DecoderException the image takes too much, there are too many, or nobody waits for it
     */
    public Pixels decode(
            ImageHeader header, byte[] data, int every, int maxPixels, String client, BooleanSupplier gone) {
        boolean isLarge = header.memory(every) > config.decodeMemory() / LARGE;
        try (DecoderPermits.Permit permit = permits.take(client, isLarge, config.decodeTimeout(), gone)) {
            return pixels(decode(new DecodeRequest(data, every, maxPixels), deadline(header)));
        }
    }

    private Duration deadline(ImageHeader header) {
        Duration worth = LEAST_TIME.plusNanos(header.pixels(1) * NANOS_PER_PIXEL);
        return worth.compareTo(config.decodeTimeout()) < 0 ? worth : config.decodeTimeout();
    }

    private static Pixels pixels(DecodeReply reply) {
        if (reply instanceof DecodeReply.Refused refused) {
            throw ImageException.of(refused.message(), refused.tooLarge());
        }
        return ((DecodeReply.Decoded) reply).pixels();
    }

    private DecodeReply decode(DecodeRequest request, Duration time) {
        DecoderProcess process = takeOrStart(false);
        boolean used = process.idleSince() != 0;
        try {
            return decode(process, request, time);
        } catch (DecoderException e) {
            if (e.reason() != Reason.CRASH || !used) {
                throw e;
            }
            // It may have ended for a reason of its own before it saw the image.
            return decode(takeOrStart(true), request, time);
        }
    }

    private DecodeReply decode(DecoderProcess process, DecodeRequest request, Duration time) {
        long start = System.nanoTime();
        DecodeReply reply = null;
        Deadline deadline = new Deadline(process, time);
        ProcessExit exit = null;
        boolean late;
        try {
            reply = process.decode(request);
        } catch (IOException e) {
            LOG.debugf("A decoder does not answer: %s", e.getMessage());
        } finally {
            late = deadline.stop();
            if (reply == null || late) {
                exit = end(process, late ? 0 : CRASH_REPORT_MILLIS);
            }
        }
        if (reply == null) {
            boolean outOfMemory = exit.code() == DecodeReply.EXIT_OUT_OF_MEMORY;
            Reason reason = late ? Reason.TIME : outOfMemory ? Reason.MEMORY : Reason.CRASH;
            replaced(reason, exit, time);
            throw new DecoderException(reason);
        }
        if (!late) {
            keep(process);
        }
        long nanos = System.nanoTime() - start;
        listeners.forEach(listener -> listener.decoded(nanos));
        return reply;
    }

    private void replaced(Reason reason, ProcessExit exit, Duration time) {
        LOG.warnf(
                "A decoder is replaced: %s",
                switch (reason) {
                    case TIME -> "an image took longer than " + time.toMillis() + " ms";
                    case MEMORY -> "an image took more memory than luq.images.decode-memory allows";
                    default -> "it ended with " + exit.forOperator();
                });
        listeners.forEach(listener -> listener.replaced(reason));
    }

    /** @param fresh none that decoded before */
    private DecoderProcess takeOrStart(boolean fresh) {
        while (!fresh) {
            DecoderProcess process;
            synchronized (this) {
                process = idle.pollFirst();
            }
            if (process == null) {
                break;
            }
            if (process.isAlive()) {
                return process;
            }
            replaced(Reason.CRASH, end(process, 0), Duration.ZERO);
        }
        return start();
    }

    private DecoderProcess start() {
        synchronized (this) {
            if (closed) {
                throw new DecoderException(Reason.START);
            }
        }
        DecoderProcess process;
        try {
            process = DecoderProcess.start(commandLine);
        } catch (IOException e) {
            LOG.errorf("No decoder can be started: %s", e.getMessage());
            throw notStarted();
        }
        Deadline deadline = new Deadline(process, START);
        try {
            process.awaitReady();
        } catch (IOException e) {
            LOG.errorf(
                    "A decoder that was started is of no use: it ended with %s",
                    end(process, CRASH_REPORT_MILLIS).forOperator());
            throw notStarted();
        } finally {
            deadline.stop();
        }
        return process;
    }

    /** Ends one that is of no use; its crash report, if it left one, is bounded. */
    private ProcessExit end(DecoderProcess process, long grace) {
        int code = process.end(grace);
        return new ProcessExit(code, command.crashReport(NAME, process.pid(), process.started()));
    }

    private DecoderException notStarted() {
        listeners.forEach(listener -> listener.replaced(Reason.START));
        return new DecoderException(Reason.START);
    }

    private void keep(DecoderProcess process) {
        // Never zero, which says that it is new.
        process.idleSince(System.nanoTime() | 1);
        synchronized (this) {
            if (!closed) {
                idle.addFirst(process);
                return;
            }
        }
        process.end(0);
    }

    private void endIdle() {
        long now = System.nanoTime();
        while (true) {
            DecoderProcess process;
            synchronized (this) {
                process = idle.peekLast();
                if (process == null
                        || now - process.idleSince() < config.decoderIdle().toNanos()) {
                    return;
                }
                idle.removeLast();
            }
            process.end(0);
        }
    }

    /** Ends all decoders, those at work when they are done. */
    void stop(@Observes ShutdownEvent event) {
        close();
    }

    /** As at the server's end. */
    public void close() {
        idleCheck.cancel(false);
        List<DecoderProcess> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(idle);
            idle.clear();
        }
        all.forEach(process -> process.end(0));
    }

    /** Kills a process that is not done in time. */
    private final class Deadline {
        private final ScheduledFuture<?> end;
        // guarded by this
        private boolean over;
        private boolean late;

        Deadline(DecoderProcess process, Duration time) {
            end = timer.schedule(() -> reached(process), time.toNanos(), TimeUnit.NANOSECONDS);
        }

        private synchronized void reached(DecoderProcess process) {
            if (!over) {
                late = true;
                process.kill();
            }
        }

        /** @return whether it was too late */
        synchronized boolean stop() {
            over = true;
            end.cancel(false);
            return late;
        }
    }
}
