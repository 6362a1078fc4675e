package dev.luq.jobs;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.process.ProcessConfig;
import dev.luq.serving.WorkerConfig;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;

/**
 * Starts processes that follow a script; see {@link dev.luq.jobs.child.ScriptedJob}. They have the tests' own priority: the
 * lowest one may wait for minutes beside other load.
 */
@Alternative
@Singleton
public class ScriptedJobs implements JobLauncher {

    private final JobCommand command;

    @Inject
    ScriptedJobs(WorkerConfig worker, DataConfig data) {
        this.command = command(worker.process(), new DataFolder(data.dataDir()));
    }

    static JobCommand command(ProcessConfig process, DataFolder data) {
        return new JobCommand(List.of(), process, "dev.luq.jobs.child.ScriptedJob", "64m", data);
    }

    @Override
    public List<String> command(String jobId) {
        return command.command(jobId);
    }
}
