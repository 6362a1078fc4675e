package dev.luq.jobs;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.process.ChildCommand;
import dev.luq.process.CrashReport;
import dev.luq.process.ProcessConfig;
import dev.luq.serving.KernelCheck;
import dev.luq.serving.WorkerConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The command line of a job's process, with the lowest priority that the system offers. */
@Singleton
public class JobCommand implements JobLauncher {

    private static final String MAIN_CLASS = "dev.luq.jobs.child.JobMain";

    private final List<String> priority;
    private final ChildCommand command;
    private final DataFolder data;
    private final KernelCheck kernels;

    @Inject
    JobCommand(WorkerConfig worker, JobsConfig jobs, DataConfig data) {
        this(lowestPriority(), worker.process(), MAIN_CLASS, jobs.heap(), new DataFolder(data.dataDir()));
    }

    /** @param priority words before the command that set it; may be none */
    JobCommand(List<String> priority, ProcessConfig config, String mainClass, String heap, DataFolder data) {
        this.priority = priority;
        this.command = new ChildCommand(config, mainClass, "job", heap, List.of());
        this.data = data;
        this.kernels = KernelCheck.of(config);
    }

    @Override
    public List<String> command(String jobId) {
        ensureKernels();
        List<String> line = new ArrayList<>(priority);
        line.addAll(command.line(jobId, data.toString(), data.job(jobId).toString()));
        return line;
    }

    @Override
    public Optional<CrashReport> crashReport(String jobId, long pid, Instant started) {
        return command.crashReport(jobId, pid, started);
    }

    /** The process uses the kernels that were found to be right on this machine. */
    private void ensureKernels() {
        try {
            kernels.ensure();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<String> lowestPriority() {
        List<String> words = new ArrayList<>();
        if (isInstalled("nice")) {
            words.addAll(List.of("nice", "-n", "19"));
        }
        if (isInstalled("ionice")) {
            words.addAll(List.of("ionice", "-c", "3"));
        }
        return words;
    }

    private static boolean isInstalled(String program) {
        String path = System.getenv("PATH");
        return path != null
                && Arrays.stream(path.split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }
}
