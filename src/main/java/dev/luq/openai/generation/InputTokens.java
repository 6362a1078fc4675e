package dev.luq.openai.generation;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** How many tokens a request's input has. */
@RegisterForReflection
@Schema(name = "InputTokens")
public record InputTokens(
        @Schema(enumeration = "response.input_tokens") String object, @JsonProperty("input_tokens") int inputTokens) {

    public static InputTokens of(WorkerFrame.TokenCount count) {
        return new InputTokens("response.input_tokens", count.tokens());
    }
}
