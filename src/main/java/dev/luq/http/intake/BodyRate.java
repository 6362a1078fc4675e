package dev.luq.http.intake;

import java.time.Duration;

/**
 * How fast a body has to come.
 *
 * @param deadline from the moment on that it is read to its last byte
 * @param minRate bytes a second at least, measured over each window
 * @param window how long a client may be slower than that
 */
record BodyRate(Duration deadline, long minRate, Duration window) {

    /** Bytes that come in each window at least. */
    long perWindow() {
        return Math.max(1, minRate * window.toMillis() / 1000);
    }
}
