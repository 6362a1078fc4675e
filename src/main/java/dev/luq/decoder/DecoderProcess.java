package dev.luq.decoder;

import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import dev.luq.process.LogRelay;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * One running decoder. It is used by one thread at a time, which its end wakes; {@link #kill} is for any thread. It ends
 * with its input, that is with the server.
 */
final class DecoderProcess {

    private static final Logger LOG = Logger.getLogger("dev.luq.decoder.process");

    /** All of the server's environment that a decoder sees. */
    private static final Set<String> ENVIRONMENT =
            Set.of("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH");

    private static final int PIPE_BYTES = 1 << 16;
    /** How long a process that was killed may take to be gone. */
    private static final long EXIT_SECONDS = 10;

    private final Instant started;
    private final Process process;
    private final DataOutputStream requests;
    private final DataInputStream replies;
    private long idleSince;

    private DecoderProcess(Instant started, Process process) {
        this.started = started;
        this.process = process;
        requests = new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), PIPE_BYTES));
        replies = new DataInputStream(process.getInputStream());
    }

    /** @throws IOException when the system cannot start the process */
    static DecoderProcess start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().retainAll(ENVIRONMENT);
        Instant started = Instant.now();
        return new DecoderProcess(started, LogRelay.start(builder, LOG, "decoder"));
    }

    /**
     * Waits until it decodes.
     *
     * @throws IOException it ends before
     */
    void awaitReady() throws IOException {
        if (replies.readUnsignedByte() != DecodeReply.READY) {
            throw new IOException("This is no decoder");
        }
    }

    /**
     * Waits for the answer.
     *
     * @throws IOException it ends before, or does not speak the protocol; it is of no use then
     */
    DecodeReply decode(DecodeRequest request) throws IOException {
        request.write(requests);
        return DecodeReply.read(replies, request.maxPixels());
    }

    long pid() {
        return process.pid();
    }

    /** A time just before its start. */
    Instant started() {
        return started;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** @param nanos of {@link System#nanoTime} */
    void idleSince(long nanos) {
        idleSince = nanos;
    }

    long idleSince() {
        return idleSince;
    }

    void kill() {
        process.destroyForcibly();
    }

    /**
     * Kills it, unless it is gone already, waits for that and frees what it held.
     *
     * @param grace milliseconds that it has to end by itself, such as for the report of a crash
     * @return its exit code; -1 when it is not gone
     */
    int end(long grace) {
        boolean interrupted = Thread.interrupted();
        try {
            try {
                process.waitFor(grace, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            kill();
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(EXIT_SECONDS);
            while (process.isAlive() && System.nanoTime() < until) {
                try {
                    process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return process.isAlive() ? -1 : process.exitValue();
        } finally {
            close(process.getOutputStream());
            close(process.getInputStream());
            close(process.getErrorStream());
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void close(Closeable stream) {
        try {
            stream.close();
        } catch (IOException e) {
            LOG.debugf("A stream of a decoder: %s", e.getMessage());
        }
    }
}
