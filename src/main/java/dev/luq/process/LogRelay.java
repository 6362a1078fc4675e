package dev.luq.process;

import dev.luq.files.PlainText;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Brings what a child process writes to its standard error into the server's log. Much of it is foreign text: names and
 * templates of model files, what native code prints. Each line stays a line that begins with the name of its process;
 * its length and the number of lines are bounded.
 */
public final class LogRelay {

    /** Bytes of a line; what follows is left out. */
    static final int LONGEST_LINE = 8192;
    /** Lines in a burst, and in each second thereafter. */
    static final int BURST = 2000;

    static final int LINES_PER_SECOND = 100;

    /** Levels of java.util.logging and of llama.cpp. */
    private static final Map<String, Logger.Level> LEVELS = Map.of(
            "SEVERE",
            Logger.Level.ERROR,
            "ERROR",
            Logger.Level.ERROR,
            "WARNING",
            Logger.Level.WARN,
            "WARN",
            Logger.Level.WARN,
            "INFO",
            Logger.Level.INFO,
            "FINE",
            Logger.Level.DEBUG,
            "DEBUG",
            Logger.Level.DEBUG);

    private final Logger log;
    private final String name;
    private final byte[] line = new byte[LONGEST_LINE];
    private double allowance = BURST;
    private long allowanceAt = System.nanoTime();
    private long leftOut;

    private LogRelay(Logger log, String name) {
        this.log = log;
        this.name = name;
    }

    /**
     * Starts a child process whose log is relayed by a thread of its own.
     *
     * @param name put before each line
     * @throws IOException when the system gives no further process or thread; no process is left then
     */
    public static Process start(ProcessBuilder builder, Logger log, String name) throws IOException {
        Process process = null;
        try {
            process = builder.start();
            InputStream errors = process.getErrorStream();
            Thread thread = new Thread(() -> relay(errors, log, name), "luq-log-" + name);
            thread.setDaemon(true);
            thread.start();
            return process;
        } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
            if (process != null) {
                process.destroyForcibly();
            }
            throw new IOException(e.getMessage(), e);
        }
    }

    /**
     * Returns when the stream ends. A line is {@code LEVEL message} when a logger wrote it; anything else comes from
     * native code or a stack.
     *
     * @param name put before each line
     */
    public static void relay(InputStream from, Logger log, String name) {
        LogRelay relay = new LogRelay(log, name);
        try (InputStream in = new BufferedInputStream(from)) {
            relay.lines(in);
        } catch (IOException e) {
            log.debugf("The log of %s ended: %s", name, e.getMessage());
        }
        relay.tellLeftOut();
    }

    private void lines(InputStream in) throws IOException {
        int length = 0;
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                line(Math.min(length, LONGEST_LINE), length);
                length = 0;
            } else {
                if (length < LONGEST_LINE) {
                    line[length] = (byte) next;
                }
                length = Math.min(length + 1, Integer.MAX_VALUE - 1);
            }
        }
        line(Math.min(length, LONGEST_LINE), length);
    }

    private void line(int kept, int length) {
        if (kept == 0) {
            return;
        }
        if (!isAllowed()) {
            leftOut++;
            return;
        }
        tellLeftOut();
        String whole = new String(line, 0, kept, StandardCharsets.UTF_8);
        int space = whole.indexOf(' ');
        Logger.Level level = space < 0 ? null : LEVELS.get(whole.substring(0, space));
        String text = (level == null ? whole : whole.substring(space + 1)).stripTrailing();
        if (!text.isBlank()) {
            log.logf(
                    level == null ? Logger.Level.INFO : level,
                    "[%s] %s%s",
                    name,
                    PlainText.of(text, LONGEST_LINE),
                    length > kept ? " [" + (length - kept) + " more bytes]" : "");
        }
    }

    private boolean isAllowed() {
        long now = System.nanoTime();
        allowance = Math.min(BURST, allowance + (now - allowanceAt) * LINES_PER_SECOND / 1e9);
        allowanceAt = now;
        if (allowance < 1) {
            return false;
        }
        allowance--;
        return true;
    }

    private void tellLeftOut() {
        if (leftOut > 0) {
            log.warnf("[%s] %d lines were left out: more than %d a second", name, leftOut, LINES_PER_SECOND);
            leftOut = 0;
        }
    }
}
