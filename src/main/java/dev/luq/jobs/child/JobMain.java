package dev.luq.jobs.child;

import dev.luq.files.DataFolder;
import dev.luq.luq.job.JobException;
import dev.luq.luq.job.Requantization;
import dev.luq.luq.spec.Phase;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Main class of the process of a job. */
public final class JobMain {

    private JobMain() {
    }

    /**
     * Works on one job for the server at the other end of standard input and output; the process ends with it.
     *
     * @param arguments the data folder and the job's folder
     */
    public static void main(String[] arguments) {
        DataFolder data = new DataFolder(Path.of(arguments[0]));
        Path folder = Path.of(arguments[1]);
        JobLoop.run(folder, progress -> requantize(new Requantization(data, folder), progress));
    }

    private static void requantize(Requantization job, JobBody.Progress progress)
            throws JobBody.Stopped, JobBody.Failed {
        try {
            job.run(new Requantization.Listener() {
                @Override
                public void phase(Phase phase) {
                    progress.phase(phase);
                }

                @Override
                public void progress(double overall, OptionalLong secondsLeft) {
                    progress.progress(overall, secondsLeft);
                }

                @Override
                public void message(String text) {
                    progress.note(text);
                }

                @Override
                public boolean cancelled() {
                    return progress.cancelled();
                }
            });
        } catch (JobException.Cancelled e) {
            throw new JobBody.Stopped();
        } catch (JobException.Failed e) {
            throw new JobBody.Failed(e.getMessage(), e.getCause());
        }
    }
}
