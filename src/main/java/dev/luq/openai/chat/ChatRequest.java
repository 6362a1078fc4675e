package dev.luq.openai.chat;

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
 * The body of a chat request as it was sent: types are right, values are not checked. {@link ChatValidation} checks
 * them. Unknown fields are ignored, but for {@link OtherFields}; every field may be null or absent but
 * {@code messages}.
 */
@RegisterForReflection
@Schema(name = "ChatCompletionRequest")
public record ChatRequest(
        @JsonProperty("model")
                @Schema(description = "Id or alias of a model; the default model when absent", nullable = true)
                String model,
        @JsonProperty("messages") @Schema(required = true, minItems = 1) List<Message> messages,
        @JsonProperty("temperature") @Schema(minimum = "0", maximum = "2", defaultValue = "1", nullable = true)
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
        @JsonProperty("seed")
                @Schema(
                        type = SchemaType.INTEGER,
                        format = "int64",
                        nullable = true,
                        description = "Choice i uses seed + i")
                BigDecimal seed,
        @JsonProperty("logit_bias") @Schema(description = "Id of a token, or a text, to -100..100", nullable = true)
                Map<String, Double> logitBias,
        @JsonProperty("n")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "1",
                        defaultValue = "1",
                        nullable = true,
                        description = "Choices to generate, at most as many as the model has slots")
                BigDecimal n,
        @JsonProperty("max_completion_tokens")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "-1",
                        nullable = true,
                        description = "As many as the context holds when absent or -1")
                BigDecimal maxCompletionTokens,
        @JsonProperty("max_tokens")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "-1",
                        nullable = true,
                        deprecated = true,
                        description = "The old name of max_completion_tokens")
                BigDecimal maxTokens,
        @JsonProperty("stop")
                @Schema(
                        description = "A string or 1 to 64 strings",
                        oneOf = {String.class, String[].class},
                        nullable = true)
                JsonNode stop,
        @JsonProperty("logprobs") @Schema(defaultValue = "false", nullable = true) Boolean logprobs,
        @JsonProperty("top_logprobs")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "0",
                        maximum = "20",
                        nullable = true,
                        description = "Needs logprobs")
                BigDecimal topLogprobs,
        @JsonProperty("response_format")
                @Schema(
                        type = SchemaType.OBJECT,
                        nullable = true,
                        description =
                                "{\"type\": \"text\" | \"json_object\" | \"json_schema\", \"schema\", \"json_schema\": {\"name\", \"schema\"}}")
                JsonNode responseFormat,
        @JsonProperty("tools") @Schema(nullable = true, maxItems = 512) List<Tool> tools,
        @JsonProperty("tool_choice")
                @Schema(
                        nullable = true,
                        oneOf = {String.class, Object.class},
                        description = "none, auto, required, or {\"type\": \"function\", \"function\": {\"name\"}}")
                JsonNode toolChoice,
        @JsonProperty("parallel_tool_calls") @Schema(defaultValue = "true", nullable = true) Boolean parallelToolCalls,
        @JsonProperty("stream") @Schema(defaultValue = "false", nullable = true) Boolean stream,
        @JsonProperty("stream_options") @Schema(nullable = true) StreamOptions streamOptions,
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
        @JsonProperty("timings")
                @Schema(defaultValue = "false", nullable = true, description = "Report where the time went")
                Boolean timings,
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
        @JsonProperty("verbose")
                @Schema(
                        nullable = true,
                        description = "Whether an answer without stream has the prompt, in __verbose;"
                                + " luq.api.verbose when absent")
                Boolean verbose,
        @JsonProperty("grammar")
                @Schema(nullable = true, description = "GBNF with the start symbol root that the answer follows")
                String grammar,
        @JsonProperty("json_schema")
                @Schema(type = SchemaType.OBJECT, nullable = true, description = "JSON schema that the answer follows")
                JsonNode jsonSchema,
        @JsonProperty("ignore_eos")
                @Schema(
                        defaultValue = "false",
                        nullable = true,
                        description = "Whether the answer goes on where the model would end it")
                Boolean ignoreEos,
        @JsonProperty("n_predict")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "-1",
                        nullable = true,
                        description = "llama.cpp's name of max_completion_tokens")
                BigDecimal nPredict,
        @JsonProperty("n_probs")
                @Schema(
                        type = SchemaType.INTEGER,
                        minimum = "0",
                        maximum = "20",
                        nullable = true,
                        description = "llama.cpp's name of logprobs with top_logprobs; 0 is off")
                BigDecimal nProbs,
        @JsonProperty("repeat_last_n")
                @Schema(type = SchemaType.INTEGER, nullable = true, description = "64, or 0 for no penalties")
                BigDecimal repeatLastN,
        @JsonProperty("continue_final_message")
                @Schema(
                        nullable = true,
                        description = "Whether the answer continues the last message, which is the assistant's. It does"
                                + " when absent, unless add_generation_prompt is true")
                Boolean continueFinalMessage,
        @JsonProperty("add_generation_prompt")
                @Schema(
                        nullable = true,
                        description = "false leaves out what begins a message of the assistant in the chat template")
                Boolean addGenerationPrompt,
        @JsonProperty("chat_template_kwargs")
                @Schema(
                        type = SchemaType.OBJECT,
                        nullable = true,
                        description = "Further variables of the model's chat template, such as enable_thinking")
                JsonNode chatTemplateKwargs,
        @JsonProperty("enable_thinking")
                @Schema(
                        nullable = true,
                        description = "Whether a model that can think does before it answers; its template decides when"
                                + " absent")
                Boolean enableThinking,
        @JsonProperty("reasoning_effort")
                @Schema(
                        nullable = true,
                        enumeration = {"none", "minimal", "low", "medium", "high", "xhigh", "max"},
                        description = "none is enable_thinking: false; others are given to the model's chat template")
                String reasoningEffort,
        @JsonProperty("reasoning_format")
                @Schema(
                        nullable = true,
                        enumeration = {"none", "auto", "deepseek"},
                        defaultValue = "none",
                        description = "auto and deepseek put thoughts into reasoning_content, where the chat template"
                                + " says what they stand between; none leaves them in content")
                String reasoningFormat,
        @JsonProperty("keep_alive")
                @Schema(
                        nullable = true,
                        oneOf = {Double.class, String.class},
                        description =
                                "How long the model stays loaded after this request: seconds, a duration such as 5m,"
                                        + " 0, or -1 for as long as no other model needs the memory")
                JsonNode keepAlive,
        @JsonAnySetter @Schema(hidden = true) Map<String, JsonNode> others) {

    /** Of the other fields only those are kept that may have to be refused. */
    public ChatRequest {
        others = OtherFields.RULES.known(others);
    }

    /** One message of the conversation. */
    @RegisterForReflection
    @Schema(name = "ChatMessage")
    public record Message(
            @JsonProperty("role")
                    @Schema(
                            required = true,
                            enumeration = {"system", "developer", "user", "assistant", "tool", "function"})
                    String role,
            @JsonProperty("content")
                    @Schema(
                            nullable = true,
                            description =
                                    "Text, or parts: {\"type\": \"text\", \"text\"} or"
                                            + " {\"type\": \"image_url\", \"image_url\": {\"url\": \"data:...\", \"detail\": \"auto\" | \"low\" | \"high\" | \"original\"}}",
                            oneOf = {String.class, Object[].class})
                    JsonNode content,
            @JsonProperty("name") @Schema(nullable = true) String name,
            @JsonProperty("refusal") @Schema(nullable = true) String refusal,
            @JsonProperty("reasoning_content") @Schema(nullable = true) String reasoningContent,
            @JsonProperty("tool_calls") @Schema(nullable = true) List<ToolCall> toolCalls,
            @JsonProperty("tool_call_id") @Schema(nullable = true) String toolCallId,
            @JsonProperty("function_call")
                    @Schema(nullable = true, description = "The older form of tool_calls, of one call")
                    CalledFunction functionCall) {}

    /** A call that an earlier answer made. */
    @RegisterForReflection
    @Schema(name = "ChatMessageToolCall")
    public record ToolCall(
            @JsonProperty("id") @Schema(required = true) String id,
            @JsonProperty("type") @Schema(enumeration = "function") String type,
            @JsonProperty("function") @Schema(required = true) CalledFunction function) {}

    /** @param arguments JSON text */
    @RegisterForReflection
    @Schema(name = "CalledFunction")
    public record CalledFunction(
            @JsonProperty("name") @Schema(required = true) String name,
            @JsonProperty("arguments") @Schema(required = true) String arguments) {}

    /** Something the model may call. */
    @RegisterForReflection
    @Schema(name = "ChatTool")
    public record Tool(
            @JsonProperty("type") @Schema(required = true, enumeration = "function") String type,
            @JsonProperty("function") @Schema(required = true) Function function) {}

    /** @param parameters JSON schema of the arguments */
    @RegisterForReflection
    @Schema(name = "ToolFunction")
    public record Function(
            @JsonProperty("name") @Schema(required = true) String name,
            @JsonProperty("description") @Schema(nullable = true) String description,
            @JsonProperty("parameters") @Schema(type = SchemaType.OBJECT, nullable = true) JsonNode parameters,
            @JsonProperty("strict") @Schema(nullable = true) Boolean strict) {}

    /**
     * @param includeUsage whether one last chunk reports the usage
     * @param continuousUsageStats whether every chunk reports the usage so far, as vLLM has it
     */
    @RegisterForReflection
    @Schema(name = "StreamOptions")
    public record StreamOptions(
            @JsonProperty("include_usage") @Schema(nullable = true) Boolean includeUsage,
            @JsonProperty("continuous_usage_stats") @Schema(nullable = true) Boolean continuousUsageStats) {}
}
