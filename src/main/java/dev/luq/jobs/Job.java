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

    Job queued() {
        return new Job(
                version,
                id,
                modelId,
                manifestId,
                budget,
                JobState.QUEUED,
                created,
                started,
                Optional.empty(),
                Optional.empty(),
                phase,
                progress,
                OptionalLong.empty(),
                phaseSeconds,
                Optional.empty(),
                Optional.empty(),
                deaths,
                idempotency,
                activation);
    }

    Job resumed() {
        return queued().withDeaths(0);
    }

    Job withDeaths(int next) {
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
                next,
                idempotency,
                activation);
    }

    Job running(Instant now) {
        return new Job(
                version,
                id,
                modelId,
                manifestId,
                budget,
                JobState.RUNNING,
                created,
                Optional.of(started.orElse(now)),
                Optional.empty(),
                Optional.empty(),
                phase,
                progress,
                OptionalLong.empty(),
                phaseSeconds,
                Optional.empty(),
                Optional.empty(),
                deaths,
                idempotency,
                activation);
    }

    Job cancelling(Instant now) {
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
                Optional.of(cancelRequested.orElse(now)),
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

    Job begun(Phase next) {
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
                Optional.of(next),
                progress,
                secondsLeft,
                phaseSeconds,
                Optional.empty(),
                error,
                deaths,
                idempotency,
                activation);
    }

    Job spent(Phase ended, double seconds) {
        Map<Phase, Double> next = new TreeMap<>(phaseSeconds);
        next.merge(ended, seconds, Double::sum);
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
                next,
                note,
                error,
                deaths,
                idempotency,
                activation);
    }

    Job at(double share, OptionalLong left) {
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
                share,
                left,
                phaseSeconds,
                note,
                error,
                deaths,
                idempotency,
                activation);
    }

    Job noted(String message) {
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
                Optional.of(message),
                error,
                deaths,
                idempotency,
                activation);
    }

    Job ended(JobState end, Instant now, Optional<String> why) {
        return new Job(
                version,
                id,
                modelId,
                manifestId,
                budget,
                end,
                created,
                started,
                Optional.of(now),
                Optional.empty(),
                phase,
                end == JobState.SUCCEEDED ? 1 : progress,
                OptionalLong.empty(),
                phaseSeconds,
                Optional.empty(),
                why,
                deaths,
                idempotency,
                activation);
    }

    Job activated(Optional<String> failure) {
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
                activation.map(a -> new ResultActivation(a.swap, failure.isEmpty(), failure)));
    }
}
