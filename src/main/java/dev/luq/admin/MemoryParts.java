package dev.luq.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.memory.MemoryEstimate;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Resident memory by part, in bytes, as {@link MemoryEstimate} has it. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "MemoryEstimate", description = "Resident memory in bytes, estimated from the files' headers")
record MemoryParts(
        @Schema(description = "All parts together") long total,
        @Schema(
                        description =
                                "The language model's weights as they lie in memory, which need not be their size on disk")
                long weights,
        @Schema(description = "The projector's weights and what encoding the largest image takes") long mmproj,
        @Schema(description = "Keys and values of the whole context") long kvCache,
        @Schema(description = "Buffers for one step's activations and logits, and the vocabulary's tables")
                long compute,
        @Schema(description = "The server and the worker without the model") long processes) {

    static MemoryParts of(MemoryEstimate estimate) {
        return new MemoryParts(
                estimate.total(),
                estimate.weights(),
                estimate.mmproj(),
                estimate.kvCache(),
                estimate.compute(),
                estimate.processes());
    }
}
