package dev.luq.jobs;

import dev.luq.requant.spec.Phase;
import java.time.Duration;

/** Told about jobs as they go; every CDI bean of this type is called. Implementations return at once. */
public interface JobListener {

    /** A process spent this long in a phase and left it. */
    void phaseEnded(Phase phase, Duration duration);
}
