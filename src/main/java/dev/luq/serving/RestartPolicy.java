package dev.luq.serving;

import java.time.Duration;
import java.util.Optional;

/**
 * Decides when a worker that died is started again: the first time at once, then after pauses that double, until it
 * has been ready for long enough to count as stable. A model that was never ready is given up after a few attempts,
 * one that was is tried for ever. Times are {@link System#nanoTime()}. Not thread-safe.
 */
final class RestartPolicy {

    private final WorkerConfig.Restart config;
    private int deathsInARow;
    private boolean everReady;
    private boolean ready;
    private long readySince;
    private int startsRefused;

    RestartPolicy(WorkerConfig.Restart config) {
        this.config = config;
    }

    void ready(long now) {
        ready = true;
        everReady = true;
        readySince = now;
    }

    /** @return the pause before the next start; empty to give up */
    Optional<Duration> died(long now) {
        if (ready && now - readySince >= config.stableAfter().toNanos()) {
            deathsInARow = 0;
        }
        ready = false;
        deathsInARow++;
        if (!everReady && deathsInARow >= config.loadAttempts()) {
            return Optional.empty();
        }
        return Optional.of(pause(deathsInARow));
    }

    /**
     * The system did not start a process.
     *
     * @return the pause before it is asked again; it is asked for ever
     */
    Duration notStarted() {
        startsRefused++;
        return pause(startsRefused + 1);
    }

    /** The system started a process. */
    void started() {
        startsRefused = 0;
    }

    private Duration pause(int deaths) {
        if (deaths == 1) {
            return Duration.ZERO;
        }
        Duration pause = config.backOff();
        for (int i = 2; i < deaths && pause.compareTo(config.maxBackOff()) < 0; i++) {
            pause = pause.multipliedBy(2);
        }
        return pause.compareTo(config.maxBackOff()) < 0 ? pause : config.maxBackOff();
    }
}
