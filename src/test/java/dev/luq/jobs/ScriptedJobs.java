package dev.luq.jobs;

import dev.luq.catalog.CatalogConfig;
import dev.luq.files.DataFolder;
import dev.luq.worker.WorkerConfig;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;

/** Starts processes that follow a script; see {@link dev.luq.jobs.child.ScriptedJob}. */
@Alternative
@Singleton
public class ScriptedJobs implements JobLauncher {

    private final JobCommand command;

    @Inject
    ScriptedJobs(WorkerConfig worker, CatalogConfig catalog) {
        this.command = new JobCommand(worker.process(), "dev.luq.jobs.child.ScriptedJob", "64m",
                new DataFolder(catalog.dataDir()));
    }

    @Override
    public List<String> command(String jobId) {
        return command.command(jobId);
    }
}
