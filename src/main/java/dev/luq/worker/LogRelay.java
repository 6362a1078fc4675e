package dev.luq.worker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jboss.logging.Logger;

/** Brings what a child process writes to its standard error into the server's log. */
public final class LogRelay {

    /** Levels of java.util.logging and of llama.cpp. */
    private static final Map<String, Logger.Level> LEVELS = Map.of("SEVERE", Logger.Level.ERROR,
            "ERROR", Logger.Level.ERROR, "WARNING", Logger.Level.WARN, "WARN", Logger.Level.WARN,
            "INFO", Logger.Level.INFO, "FINE", Logger.Level.DEBUG, "DEBUG", Logger.Level.DEBUG);

    private LogRelay() {
    }

    /**
     * Returns when the stream ends. A line is {@code LEVEL message} when a logger wrote it; anything else comes from
     * native code or a stack.
     *
     * @param name put before each line
     */
    public static void relay(InputStream from, Logger log, String name) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                Logger.Level level = space < 0 ? null : LEVELS.get(line.substring(0, space));
                String text = level == null ? line : line.substring(space + 1);
                if (!text.isBlank()) {
                    log.logf(level == null ? Logger.Level.INFO : level, "[%s] %s", name, text);
                }
            }
        } catch (IOException e) {
            log.debugf("The log of %s ended: %s", name, e.getMessage());
        }
    }
}
