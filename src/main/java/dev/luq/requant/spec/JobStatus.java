package dev.luq.requant.spec;

import dev.luq.files.JsonFile;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * How far a job is: {@code status.json} of its folder, rewritten as it goes.
 *
 * @param state of the job as its process last said; a job that was killed says RUNNING for ever
 * @param phase the one at work, or the last one
 * @param progress of the whole job, 0 to 1
 * @param secondsLeft estimate; empty when nothing is known yet or nothing is left
 * @param phaseSeconds time spent per phase, over all runs of the job
 * @param error why it failed, for people
 */
@RegisterForReflection
public record JobStatus(
        State state,
        Phase phase,
        double progress,
        OptionalLong secondsLeft,
        Map<Phase, Double> phaseSeconds,
        Optional<String> error) {

    private static final String FILE = "status.json";

    /** What the job's own process knows; queueing is the server's. */
    @RegisterForReflection
    public enum State {
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    public JobStatus {
        phaseSeconds = new TreeMap<>(phaseSeconds);
    }

    /** Replaces {@code status.json}, atomically. */
    public void write(Path jobFolder) {
        JsonFile.write(jobFolder.resolve(FILE), this);
    }

    /**
     * @return empty when the job never ran.
     * @throws SpecException.Unreadable when the file is damaged
     */
    public static Optional<JobStatus> read(Path jobFolder) {
        return SpecFiles.read(jobFolder.resolve(FILE), JobStatus.class);
    }
}
