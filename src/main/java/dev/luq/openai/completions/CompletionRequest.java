package dev.luq.openai.completions;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** What the body of a completion request has of its own; the rest are the settings of a chat request. */
@RegisterForReflection
@Schema(
        name = "CompletionRequest",
        description =
                "Beside these fields it has those of a chat request that are no messages, tools or log probabilities.")
record CompletionRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("prompt")
                @Schema(
                        required = true,
                        description = "A string, an array of tokens, or up to 256 of either",
                        oneOf = {String.class, Object[].class})
                JsonNode prompt,
        @JsonProperty("max_tokens")
                @Schema(type = SchemaType.INTEGER, minimum = "1", defaultValue = "16", nullable = true)
                BigDecimal maxTokens,
        @JsonProperty("logprobs")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "0",
                        maximum = "5",
                        nullable = true,
                        description = "Alternatives per token")
                BigDecimal logprobs,
        @JsonProperty("echo")
                @Schema(
                        defaultValue = "false",
                        nullable = true,
                        description = "Whether the text begins with the prompt; not with logprobs, nor for tokens")
                Boolean echo,
        @JsonProperty("best_of") @Schema(type = SchemaType.INTEGER, nullable = true, description = "Equal to n")
                BigDecimal bestOf,
        @JsonProperty("suffix") @Schema(nullable = true, description = "Refused unless it is empty") String suffix,
        @JsonProperty("response_format") @Schema(type = SchemaType.OBJECT, nullable = true) JsonNode responseFormat,
        @JsonProperty("json_schema")
                @Schema(type = SchemaType.OBJECT, nullable = true, description = "A schema that the text follows")
                JsonNode jsonSchema,
        @JsonProperty("grammar") @Schema(nullable = true, description = "GBNF that the text follows") String grammar,
        @JsonProperty("stream") @Schema(defaultValue = "false", nullable = true) Boolean stream,
        @JsonProperty("keep_alive")
                @Schema(
                        nullable = true,
                        oneOf = {Double.class, String.class},
                        description = "How long the model stays loaded, as in a chat request")
                JsonNode keepAlive) {}
