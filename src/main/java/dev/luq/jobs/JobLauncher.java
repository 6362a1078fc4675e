package dev.luq.jobs;

import java.util.List;

/** How the process of a job is started. */
public interface JobLauncher {

    /** @return its command line */
    List<String> command(String jobId);
}
