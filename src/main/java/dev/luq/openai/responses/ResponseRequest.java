package dev.luq.openai.responses;

import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * The body of a request for a response as it was sent: types are right, values are not checked. {@link
 * ChatTranslation} checks them. Every field may be null or absent but {@code input}.
 */
@RegisterForReflection
@Schema(name = "ResponseRequest")
record ResponseRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("input")
                @Schema(
                        required = true,
                        oneOf = {String.class, Object[].class},
                        description = "Text of the user, or items: messages with parts input_text, input_image"
                                + " (image_url, detail) and output_text; function_call; function_call_output")
                JsonNode input,
        @JsonProperty("instructions") @Schema(nullable = true, description = "The first system message")
                String instructions,
        @JsonProperty("max_output_tokens")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "1",
                        nullable = true,
                        description = "As many as the context holds when absent")
                BigDecimal maxOutputTokens,
        @JsonProperty("temperature") @Schema(minimum = "0", maximum = "2", defaultValue = "1", nullable = true)
                Double temperature,
        @JsonProperty("top_p") @Schema(minimum = "0", maximum = "1", defaultValue = "1", nullable = true) Double topP,
        @JsonProperty("top_logprobs")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "0",
                        maximum = "20",
                        nullable = true,
                        description = "Alternatives per token of output_text")
                BigDecimal topLogprobs,
        @JsonProperty("include")
                @Schema(nullable = true, description = "message.output_text.logprobs for log probabilities")
                List<String> include,
        @JsonProperty("text")
                @Schema(
                        type = SchemaType.OBJECT,
                        nullable = true,
                        description = "{\"format\": {\"type\": \"text\" | \"json_object\" | \"json_schema\", \"name\","
                                + " \"schema\"}}")
                JsonNode text,
        @JsonProperty("tools") @Schema(nullable = true, maxItems = 512) List<Tool> tools,
        @JsonProperty("tool_choice")
                @Schema(
                        nullable = true,
                        oneOf = {String.class, Object.class},
                        description = "none, auto, required, {\"type\": \"function\", \"name\"}, or"
                                + " {\"type\": \"allowed_tools\", \"mode\": \"auto\" | \"required\", \"tools\"}")
                JsonNode toolChoice,
        @JsonProperty("parallel_tool_calls") @Schema(defaultValue = "true", nullable = true) Boolean parallelToolCalls,
        @JsonProperty("stream") @Schema(defaultValue = "false", nullable = true) Boolean stream,
        @JsonProperty("metadata") @Schema(nullable = true, maxProperties = 16, description = "Comes back in the answer")
                Map<String, String> metadata,
        @JsonProperty("store") @Schema(nullable = true, description = "Nothing is stored; the answer says false")
                Boolean store,
        @JsonProperty("truncation") @Schema(nullable = true, enumeration = "disabled") String truncation,
        @JsonProperty("background") @Schema(nullable = true, enumeration = "false") Boolean background,
        @JsonProperty("previous_response_id") @Schema(hidden = true) JsonNode previousResponse,
        @JsonProperty("conversation") @Schema(hidden = true) JsonNode conversation,
        @JsonProperty("prompt") @Schema(hidden = true) JsonNode prompt,
        @JsonProperty("context_management") @Schema(hidden = true) JsonNode contextManagement,
        @JsonProperty("moderation") @Schema(hidden = true) JsonNode moderation,
        @JsonProperty("top_k")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "-1",
                        defaultValue = "0",
                        description = "0 and -1 are off",
                        nullable = true)
                BigDecimal topK,
        @JsonProperty("min_p")
                @Schema(minimum = "0", maximum = "1", defaultValue = "0", description = "0 is off", nullable = true)
                Double minP,
        @JsonProperty("frequency_penalty") @Schema(minimum = "-2", maximum = "2", defaultValue = "0", nullable = true)
                Double frequencyPenalty,
        @JsonProperty("presence_penalty") @Schema(minimum = "-2", maximum = "2", defaultValue = "0", nullable = true)
                Double presencePenalty,
        @JsonProperty("repeat_penalty")
                @Schema(minimum = "0.1", maximum = "10", defaultValue = "1", description = "1 is off", nullable = true)
                Double repeatPenalty,
        @JsonProperty("seed") @Schema(type = SchemaType.INTEGER, format = "int64", nullable = true) BigDecimal seed,
        @JsonProperty("logit_bias") @Schema(description = "Id of a token, or a text, to -100..100", nullable = true)
                Map<String, Double> logitBias,
        @JsonProperty("stop")
                @Schema(
                        description = "A string or 1 to 64 strings",
                        oneOf = {String.class, String[].class},
                        nullable = true)
                JsonNode stop,
        @JsonProperty("cache_prompt")
                @Schema(
                        defaultValue = "true",
                        nullable = true,
                        description = "Whether a cached prompt prefix may be reused")
                Boolean cachePrompt,
        @JsonProperty("cache_salt")
                @Schema(
                        nullable = true,
                        minLength = 1,
                        maxLength = 256,
                        description = "Only requests with the same one share cached prompts and images with this one")
                String cacheSalt,
        @JsonProperty("timings_per_token")
                @Schema(
                        defaultValue = "false",
                        nullable = true,
                        description = "Whether the events of a stream have the timings so far")
                Boolean timingsPerToken,
        @JsonProperty("return_progress")
                @Schema(
                        defaultValue = "false",
                        nullable = true,
                        description = "Whether a stream begins with events that say how far the prompt is")
                Boolean returnProgress,
        @JsonProperty("reasoning") @Schema(nullable = true) Reasoning reasoning,
        @JsonProperty("chat_template_kwargs")
                @Schema(
                        type = SchemaType.OBJECT,
                        nullable = true,
                        description = "Further variables of the model's chat template, such as enable_thinking")
                JsonNode chatTemplateKwargs,
        @JsonProperty("enable_thinking")
                @Schema(nullable = true, description = "Whether a model that can think does before it answers")
                Boolean enableThinking,
        @JsonAnySetter @Schema(hidden = true) Map<String, JsonNode> others) {

    /** @param effort {@code none} for no thoughts; others are given to the model's chat template */
    @RegisterForReflection
    @Schema(name = "ResponseReasoningRequest")
    record Reasoning(
            @JsonProperty("effort")
                    @Schema(
                            nullable = true,
                            enumeration = {"none", "minimal", "low", "medium", "high", "xhigh", "max"})
                    String effort) {}

    /**
     * A function that the model may call, in the flat form of this endpoint.
     *
     * @param parameters JSON schema of the arguments
     */
    @RegisterForReflection
    @Schema(name = "ResponseTool")
    record Tool(
            @JsonProperty("type") @Schema(required = true, enumeration = "function") String type,
            @JsonProperty("name") @Schema(required = true) String name,
            @JsonProperty("description") @Schema(nullable = true) String description,
            @JsonProperty("parameters") @Schema(type = SchemaType.OBJECT, nullable = true) JsonNode parameters,
            @JsonProperty("strict") @Schema(nullable = true) Boolean strict) {}
}
