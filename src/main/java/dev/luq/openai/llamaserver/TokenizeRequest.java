package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.openai.generation.Addressed;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** A text whose tokens are asked for. */
@RegisterForReflection
@Schema(name = "TokenizeRequest")
record TokenizeRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("content")
                @Schema(
                        required = true,
                        description = "Text, or an array of texts and tokens; up to 1 MiB of text",
                        oneOf = {String.class, Object[].class})
                JsonNode content,
        @JsonProperty("add_special")
                @Schema(
                        defaultValue = "false",
                        nullable = true,
                        description = "Whether the begin and end tokens are added that the model wants")
                Boolean addSpecial,
        @JsonProperty("parse_special")
                @Schema(
                        defaultValue = "true",
                        nullable = true,
                        description = "Whether the text of a control token becomes that token")
                Boolean parseSpecial,
        @JsonProperty("with_pieces")
                @Schema(defaultValue = "false", nullable = true, description = "Whether each token comes with its text")
                Boolean withPieces)
        implements Addressed {}
