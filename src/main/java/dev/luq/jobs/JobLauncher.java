package dev.luq.jobs;

import dev.luq.process.CrashReport;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** How the process of a job is started. */
public interface JobLauncher {

    /** @return its command line */
    List<String> command(String jobId);

    /**
     * What the process with this id, which is gone, said if it crashed.
     *
     * @param started a time before its start
     */
    default Optional<CrashReport> crashReport(String jobId, long pid, Instant started) {
        return Optional.empty();
    }
}
