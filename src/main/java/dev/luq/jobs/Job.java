package dev.luq.jobs;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.requant.spec.Phase;
import dev.luq.serving.SwapMode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A re-quantization as the server knows it: {@code record.json} of its folder, beside {@code spec.json}, which says
 * what is to be done. Immutable.
 *
 * @param version of this format
 * @param id names the folder; ids of later jobs sort after those of earlier ones
 * @param modelId id of the model in the catalogue
 * @param manifestId id of the result in the store
 * @param budget as it was asked for
 * @param state where it stands
 * @param created when it was asked for
 * @param started when its first process started
 * @param finished when it reached its final state
 * @param cancelRequested when it was to be cancelled while it ran; empty once it has ended
 * @param phase at work, or the last one
 * @param progress of the whole job, 0..1
 * @param secondsLeft estimate; empty when nothing is known or nothing is left
 * @param phaseSeconds time spent per phase that ended
 * @param note what is being done
 * @param error why it failed
 * @param deaths processes that died on it since it was queued or resumed by hand
 * @param idempotency the request that made it
 * @param activation what follows a success
 */
@RegisterForReflection
public record Job(
        int version,
        String id,
        String modelId,
        String manifestId,
        String budget,
        JobState state,
        Instant created,
        Optional<Instant> started,
        Optional<Instant> finished,
        @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Instant> cancelRequested,
        Optional<Phase> phase,
        double progress,
        OptionalLong secondsLeft,
        Map<Phase, Double> phaseSeconds,
        Optional<String> note,
        Optional<String> error,
        int deaths,
        Optional<Idempotency> idempotency,
        Optional<ResultActivation> activation) {

    /** The version that this code writes and reads. */
    public static final int VERSION = 1;

    /**
     * @param key as the client sent it
     * @param request SHA-256 of the request, hexadecimal
     */
    @RegisterForReflection
    public record Idempotency(String key, String request) {}

    /**
     * @param swap how the processes are to be swapped
     * @param done whether the result is served
     * @param error why it is not
     */
    @RegisterForReflection
    public record ResultActivation(SwapMode swap, boolean done, Optional<String> error) {}

    public Job {
        phaseSeconds = new TreeMap<>(phaseSeconds);
    }

    /** What may differ in the next state; the rest stays. */
    private final class Next {
        private JobState state = Job.this.state;
        private Optional<Instant> started = Job.this.started;
        private Optional<Instant> finished = Job.this.finished;
        private Optional<Instant> cancelRequested = Job.this.cancelRequested;
        private Optional<Phase> phase = Job.this.phase;
        private double progress = Job.this.progress;
        private OptionalLong secondsLeft = Job.this.secondsLeft;
        private Map<Phase, Double> phaseSeconds = Job.this.phaseSeconds;
        private Optional<String> note = Job.this.note;
        private Optional<String> error = Job.this.error;
        private int deaths = Job.this.deaths;
        private Optional<ResultActivation> activation = Job.this.activation;

        private Job job() {
            return new Job(
                    version,
                    id,
                    modelId,
                    manifestId,
                    budget,
                    state,
                    created,
                    started,
                    finished,
                    cancelRequested,
                    phase,
                    progress,
                    secondsLeft,
                    phaseSeconds,
                    note,
                    error,
                    deaths,
                    idempotency,
                    activation);
        }
    }

    private Job with(Consumer<Next> change) {
        Next next = new Next();
        change.accept(next);
        return next.job();
    }

    Job queued() {
        return with(next -> {
            next.state = JobState.QUEUED;
            next.finished = Optional.empty();
            next.cancelRequested = Optional.empty();
            next.secondsLeft = OptionalLong.empty();
            next.note = Optional.empty();
            next.error = Optional.empty();
        });
    }

    Job resumed() {
        return queued().withDeaths(0);
    }

    Job withDeaths(int count) {
        return with(next -> next.deaths = count);
    }

    Job running(Instant now) {
        return queued().with(next -> {
            next.state = JobState.RUNNING;
            next.started = Optional.of(started.orElse(now));
        });
    }

    Job cancelling(Instant now) {
        return with(next -> next.cancelRequested = Optional.of(cancelRequested.orElse(now)));
    }

    Job begun(Phase begins) {
        return with(next -> {
            next.phase = Optional.of(begins);
            next.note = Optional.empty();
        });
    }

    Job spent(Phase ended, double seconds) {
        Map<Phase, Double> sums = new TreeMap<>(phaseSeconds);
        sums.merge(ended, seconds, Double::sum);
        return with(next -> next.phaseSeconds = sums);
    }

    Job at(double share, OptionalLong left) {
        return with(next -> {
            next.progress = share;
            next.secondsLeft = left;
        });
    }

    Job noted(String message) {
        return with(next -> next.note = Optional.of(message));
    }

    Job ended(JobState end, Instant now, Optional<String> why) {
        return with(next -> {
            next.state = end;
            next.finished = Optional.of(now);
            next.cancelRequested = Optional.empty();
            next.progress = end == JobState.SUCCEEDED ? 1 : progress;
            next.secondsLeft = OptionalLong.empty();
            next.note = Optional.empty();
            next.error = why;
        });
    }

    Job activated(Optional<String> failure) {
        return with(next ->
                next.activation = activation.map(a -> new ResultActivation(a.swap, failure.isEmpty(), failure)));
    }
}
