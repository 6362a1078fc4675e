package dev.luq.anthropic;

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
 * The body of a request to the Messages API as it was sent: types are right, values are not checked. {@link
 * ChatTranslation} checks them. Other fields are those of a chat request; what has no meaning here is ignored: {@code
 * metadata}, {@code cache_control} and {@code service_tier}.
 */
@RegisterForReflection
@Schema(name = "MessagesRequest")
record MessagesRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("max_tokens")
                @Schema(
                        type = SchemaType.INTEGER,
                        required = true,
                        minimum = "1",
                        description = "Not needed to count tokens")
                BigDecimal maxTokens,
        @JsonProperty("messages") @Schema(required = true, minItems = 1) List<InputMessage> messages,
        @JsonProperty("system")
                @Schema(
                        description = "Text, or blocks {\"type\": \"text\", \"text\"}",
                        oneOf = {String.class, Object[].class},
                        nullable = true)
                JsonNode system,
        @JsonProperty("stop_sequences") @Schema(nullable = true) List<String> stopSequences,
        @JsonProperty("temperature") @Schema(minimum = "0", maximum = "1", defaultValue = "1", nullable = true)
                Double temperature,
        @JsonProperty("top_p") @Schema(minimum = "0", maximum = "1", defaultValue = "1", nullable = true) Double topP,
        @JsonProperty("top_k")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "-1",
                        defaultValue = "0",
                        description = "0 and -1 are off",
                        nullable = true)
                BigDecimal topK,
        @JsonProperty("tools") @Schema(nullable = true) List<Tool> tools,
        @JsonProperty("tool_choice") @Schema(nullable = true) ToolChoice toolChoice,
        @JsonProperty("output_config") @Schema(nullable = true) OutputConfig outputConfig,
        @JsonProperty("output_format")
                @Schema(nullable = true, deprecated = true, description = "The old name of output_config.format")
                OutputFormat outputFormat,
        @JsonProperty("thinking") @Schema(nullable = true) Thinking thinking,
        @JsonProperty("mcp_servers") @Schema(nullable = true, maxItems = 0, description = "None can be reached")
                List<JsonNode> mcpServers,
        @JsonProperty("stream") @Schema(defaultValue = "false", nullable = true) Boolean stream,
        @JsonAnySetter @Schema(hidden = true) Map<String, JsonNode> others) {

    /** One message of the conversation. */
    @RegisterForReflection
    @Schema(name = "InputMessage")
    record InputMessage(
            @JsonProperty("role")
                    @Schema(
                            required = true,
                            enumeration = {"user", "assistant", "system"})
                    String role,
            @JsonProperty("content")
                    @Schema(
                            required = true,
                            description = "Text, or blocks of type text, image, tool_use, tool_result or thinking",
                            oneOf = {String.class, Object[].class})
                    JsonNode content) {}

    /** Something the model may call. */
    @RegisterForReflection
    @Schema(name = "MessagesTool")
    record Tool(
            @JsonProperty("type") @Schema(nullable = true, enumeration = "custom") String type,
            @JsonProperty("name") @Schema(required = true) String name,
            @JsonProperty("description") @Schema(nullable = true) String description,
            @JsonProperty("input_schema") @Schema(type = SchemaType.OBJECT, required = true) JsonNode inputSchema,
            @JsonProperty("strict") @Schema(nullable = true) Boolean strict) {}

    /** @param name of the tool that must be called, with the type {@code tool} */
    @RegisterForReflection
    @Schema(name = "MessagesToolChoice")
    record ToolChoice(
            @JsonProperty("type")
                    @Schema(
                            required = true,
                            enumeration = {"auto", "any", "tool", "none"})
                    String type,
            @JsonProperty("name") @Schema(nullable = true) String name,
            @JsonProperty("disable_parallel_tool_use") @Schema(nullable = true, defaultValue = "false")
                    Boolean disableParallelToolUse) {}

    /** @param type whether a model that can think does before it answers; its template says how long */
    @RegisterForReflection
    @Schema(name = "MessagesThinking")
    record Thinking(
            @JsonProperty("type")
                    @Schema(
                            required = true,
                            enumeration = {"enabled", "adaptive", "disabled"})
                    String type) {}

    /**
     * @param format that the text of the answer has
     * @param effort given to the model's chat template
     */
    @RegisterForReflection
    @Schema(name = "MessagesOutputConfig")
    record OutputConfig(
            @JsonProperty("format") @Schema(nullable = true) OutputFormat format,
            @JsonProperty("effort")
                    @Schema(
                            nullable = true,
                            enumeration = {"low", "medium", "high", "xhigh", "max"})
                    String effort) {}

    /** @param schema JSON schema */
    @RegisterForReflection
    @Schema(name = "MessagesOutputFormat")
    record OutputFormat(
            @JsonProperty("type") @Schema(required = true, enumeration = "json_schema") String type,
            @JsonProperty("schema") @Schema(type = SchemaType.OBJECT, required = true) JsonNode schema) {}
}
