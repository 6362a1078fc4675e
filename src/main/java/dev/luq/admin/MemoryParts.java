package dev.luq.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.luq.plan.MemoryEstimate;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Resident memory by part, in bytes, as {@link MemoryEstimate} has it. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "MemoryEstimate", description = "Resident memory in bytes, estimated from the files' headers")
record MemoryParts(long total, long weights, long mmproj, long kvCache, long compute, long processes) {

    static MemoryParts of(MemoryEstimate estimate) {
        return new MemoryParts(estimate.total(), estimate.weights(), estimate.mmproj(), estimate.kvCache(),
                estimate.compute(), estimate.processes());
    }
}
