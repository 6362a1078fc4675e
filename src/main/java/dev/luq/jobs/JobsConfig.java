package dev.luq.jobs;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** How re-quantizations are run. */
@ConfigMapping(prefix = "luq.jobs")
public interface JobsConfig {

    /** Jobs that may wait; further ones are refused with 429. */
    @WithDefault("16")
    int queueSize();

    /** A job whose process dies this many times is given up; it can be resumed by hand. */
    @WithDefault("3")
    int attempts();

    /** Largest Java heap of a job's process, as in {@code -Xmx}; models and token vectors live outside. */
    @WithDefault("1g")
    String heap();

    /** Compute threads of a job, which gives way to those that serve; 0: as {@code luq.worker.threads}. */
    @WithDefault("0")
    int threads();
}
