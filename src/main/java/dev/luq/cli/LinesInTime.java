package dev.luq.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Lines of an answer's body. The JDK's client alone waits for the next one for ever. Not thread-safe. */
final class LinesInTime implements AutoCloseable {

    private final InputStream body;
    private final BufferedReader reader;
    private final Duration longestSilence;
    private volatile boolean late;

    /** @param body of the JDK's client: another thread may close it while one reads. Closed with this */
    LinesInTime(InputStream body, Duration longestSilence) {
        this.body = body;
        this.reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        this.longestSilence = longestSilence;
    }

    /**
     * Waits for a line.
     *
     * @return null at the end
     * @throws HttpTimeoutException none came in time
     * @throws IOException the connection was closed in the middle
     */
    String next() throws IOException {
        CompletableFuture<Void> reading = new CompletableFuture<>();
        reading.orTimeout(longestSilence.toMillis(), TimeUnit.MILLISECONDS).whenComplete((done, timeout) -> {
            if (timeout != null) {
                late = true;
                close();
            }
        });
        try {
            return reader.readLine();
        } catch (IOException e) {
            throw late ? (IOException) new HttpTimeoutException("no line in time").initCause(e) : e;
        } finally {
            reading.complete(null);
        }
    }

    @Override
    public void close() {
        try {
            // The reader's own close waits for whoever reads.
            body.close();
        } catch (IOException e) {
            // Nothing more is read from it.
        }
    }
}
