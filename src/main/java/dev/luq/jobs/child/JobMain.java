package dev.luq.jobs.child;

import dev.luq.files.DataFolder;
import dev.luq.requant.pipeline.RequantizationJob;
import java.nio.file.Path;

/** Main class of the process of a job. */
public final class JobMain {

    private JobMain() {}

    /**
     * Works on one job for the server at the other end of standard input and output; the process ends with it.
     *
     * @param arguments the data folder and the job's folder
     */
    public static void main(String[] arguments) {
        DataFolder data = new DataFolder(Path.of(arguments[0]));
        Path folder = Path.of(arguments[1]);
        JobLoop.run(folder, new RequantizationJob(data, folder)::run);
    }
}
