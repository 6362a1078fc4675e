package dev.luq;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtLogRecord;

/** What a log category hears, from the beginning until it is closed. */
public final class LoggedLines extends Handler implements AutoCloseable {

    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    public LoggedLines(String category) {
        logger = Logger.getLogger(category);
        logger.addHandler(this);
    }

    /** Messages as they are written. */
    public List<String> lines() {
        return lines;
    }

    @Override
    @SuppressWarnings("deprecation") // a formatter would add the time
    public void publish(LogRecord line) {
        lines.add(line instanceof ExtLogRecord formatted ? formatted.getFormattedMessage() : line.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
    }
}
