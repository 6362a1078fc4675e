package dev.luq.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.jobs.Job;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** A re-quantization as the API shows it. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Requantization")
record AdminRequantization(
        String id,
        @Schema(description = "requantization") String object,
        String model,
        @Schema(description = "Id of the variant that it makes") String variant,
        String budget,
        @Schema(enumeration = {"queued", "running", "succeeded", "failed", "cancelled"}) String state,
        @Schema(
                        nullable = true,
                        enumeration = {
                            "calibrate",
                            "rank",
                            "plan",
                            "quantize",
                            "assemble",
                            "evaluate",
                            "publish",
                            "compare"
                        })
                String phase,
        @Schema(description = "Share of the whole job, 0 to 1") double progress,
        @Schema(nullable = true, description = "Estimate; null when nothing is known") Long secondsLeft,
        @Schema(nullable = true, description = "Jobs that come before; null unless it is queued") Long queuePosition,
        @Schema(nullable = true, description = "What is being done") String note,
        @Schema(nullable = true, description = "Why it failed") String error,
        @Schema(description = "Seconds since 1970") long created,
        @Schema(nullable = true) Long started,
        @Schema(nullable = true) Long finished,
        @Schema(description = "Seconds spent by phase") Map<String, Double> phaseSeconds,
        @Schema(nullable = true) RequantizationActivation activation) {

    /** What follows a success. */
    @RegisterForReflection
    @Schema(name = "RequantizationActivation")
    record RequantizationActivation(
            @Schema(enumeration = {"auto", "overlap", "pause"}) String swap,
            @Schema(enumeration = {"pending", "done", "failed"}) String state,
            @Schema(nullable = true) String error) {}

    static AdminRequantization of(Job job, OptionalLong position) {
        Map<String, Double> phases = new LinkedHashMap<>();
        job.phaseSeconds().forEach((phase, seconds) -> phases.put(AdminBody.text(phase), seconds));
        return new AdminRequantization(
                job.id(),
                "requantization",
                job.modelId(),
                job.manifestId(),
                job.budget(),
                AdminBody.text(job.state()),
                job.phase().map(AdminBody::text).orElse(null),
                job.progress(),
                boxed(job.secondsLeft()),
                boxed(position),
                job.note().orElse(null),
                job.error().orElse(null),
                job.created().getEpochSecond(),
                seconds(job.started()),
                seconds(job.finished()),
                phases,
                job.activation()
                        .map(a -> new RequantizationActivation(
                                AdminBody.text(a.swap()),
                                a.done() ? "done" : a.error().isPresent() ? "failed" : "pending",
                                a.error().orElse(null)))
                        .orElse(null));
    }

    private static Long boxed(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }

    private static Long seconds(Optional<Instant> time) {
        return time.map(Instant::getEpochSecond).orElse(null);
    }
}
