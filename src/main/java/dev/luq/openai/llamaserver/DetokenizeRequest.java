package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.openai.generation.Addressed;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Tokens whose text is asked for. */
@RegisterForReflection
@Schema(name = "DetokenizeRequest")
record DetokenizeRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("tokens") @Schema(required = true, implementation = int[].class) JsonNode tokens)
        implements Addressed {}
