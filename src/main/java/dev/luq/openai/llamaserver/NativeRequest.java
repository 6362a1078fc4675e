package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** What a completion request of llama-server has of its own; its sampling has the names of a chat request. */
@RegisterForReflection
@Schema(
        name = "NativeCompletionRequest",
        description = "Beside these fields it has the sampling of a chat request, with llama-server's defaults:"
                + " temperature 0.8, top_k 40, top_p 0.95, min_p 0.05.")
record NativeRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("prompt")
                @Schema(
                        required = true,
                        description =
                                "A string, an array of tokens and strings, {\"prompt_string\", \"multimodal_data\"}, or several of these",
                        oneOf = {String.class, Object[].class, Object.class})
                JsonNode prompt,
        @JsonProperty("n_predict")
                @Schema(
                        type = SchemaType.INTEGER,
                        nullable = true,
                        description = "Tokens to generate at most; -1 for as many as the context holds")
                BigDecimal predict,
        @JsonProperty("n_probs")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "0",
                        maximum = "20",
                        nullable = true,
                        description = "Alternatives per token; 0 for no probabilities")
                BigDecimal probabilities,
        @JsonProperty("return_tokens") @Schema(defaultValue = "false", nullable = true) Boolean returnTokens,
        @JsonProperty("response_fields")
                @Schema(nullable = true, description = "Which fields to answer, such as generation_settings/n_predict")
                List<String> responseFields,
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
