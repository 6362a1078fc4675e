package dev.luq.openai.responses;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.openai.generation.Usage;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * A response: what was asked for and what came of it. Settings that were not sent are told as they were.
 *
 * @param createdAt seconds since 1970
 * @param completedAt seconds since 1970; null unless it is completed
 * @param store always false
 */
@RegisterForReflection
@Schema(name = "Response")
record ResponseObject(
        @JsonProperty("id") String id,
        @JsonProperty("object") @Schema(enumeration = "response") String object,
        @JsonProperty("created_at") long createdAt,
        @JsonProperty("status") @Schema(enumeration = {"in_progress", "completed", "incomplete", "failed"})
                String status,
        @JsonProperty("completed_at") @Schema(nullable = true) Long completedAt,
        @JsonProperty("error") @Schema(nullable = true) Failure error,
        @JsonProperty("incomplete_details") @Schema(nullable = true) IncompleteDetails incompleteDetails,
        @JsonProperty("model") String model,
        @JsonProperty("output") List<OutputItem> output,
        @JsonProperty("usage") @Schema(nullable = true, description = "Null while it is in progress")
                ResponseUsage usage,
        @JsonProperty("instructions") @Schema(nullable = true) String instructions,
        @JsonProperty("max_output_tokens") @Schema(nullable = true) Integer maxOutputTokens,
        @JsonProperty("temperature") float temperature,
        @JsonProperty("top_p") float topP,
        @JsonProperty("top_logprobs") int topLogprobs,
        @JsonProperty("text") TextSettings text,
        @JsonProperty("tools") List<ResponseRequest.Tool> tools,
        @JsonProperty("tool_choice") @Schema(oneOf = {String.class, Object.class}) Object toolChoice,
        @JsonProperty("parallel_tool_calls") boolean parallelToolCalls,
        @JsonProperty("reasoning") Reasoning reasoning,
        @JsonProperty("metadata") Map<String, String> metadata,
        @JsonProperty("store") boolean store,
        @JsonProperty("background") boolean background,
        @JsonProperty("truncation") @Schema(enumeration = "disabled") String truncation,
        @JsonProperty("previous_response_id") @Schema(nullable = true) String previousResponseId) {

    /** Why it failed, in OpenAI's few codes. */
    @RegisterForReflection
    @Schema(name = "ResponseError")
    record Failure(
            @JsonProperty("code") @Schema(enumeration = {"server_error", "rate_limit_exceeded", "invalid_prompt"})
                    String code,
            @JsonProperty("message") String message) {}

    /** Why it is not whole. */
    @RegisterForReflection
    @Schema(name = "ResponseIncompleteDetails")
    record IncompleteDetails(@JsonProperty("reason") @Schema(enumeration = "max_output_tokens") String reason) {}

    /** The form of its text. */
    @RegisterForReflection
    @Schema(name = "ResponseText")
    record TextSettings(@JsonProperty("format") JsonNode format) {}

    /**
     * Of reasoning models.
     *
     * @param effort as asked for
     * @param summary always null here
     */
    @RegisterForReflection
    @Schema(name = "ResponseReasoning")
    record Reasoning(
            @JsonProperty("effort") @Schema(nullable = true) String effort,
            @JsonProperty("summary") @Schema(nullable = true) String summary) {}

    /** Tokens, in the words of this endpoint. */
    @RegisterForReflection
    @Schema(name = "ResponseUsage")
    record ResponseUsage(
            @JsonProperty("input_tokens") int inputTokens,
            @JsonProperty("input_tokens_details") InputTokens inputTokensDetails,
            @JsonProperty("output_tokens") int outputTokens,
            @JsonProperty("output_tokens_details") OutputTokens outputTokensDetails,
            @JsonProperty("total_tokens") int totalTokens) {

        static ResponseUsage of(Usage usage) {
            return new ResponseUsage(
                    usage.promptTokens(),
                    new InputTokens(
                            usage.promptTokensDetails().cachedTokens(),
                            0,
                            usage.promptTokensDetails().textTokens(),
                            usage.promptTokensDetails().imageTokens()),
                    usage.completionTokens(),
                    new OutputTokens(0),
                    usage.totalTokens());
        }
    }

    /**
     * @param cachedTokens of all, those taken from the cache
     * @param cacheWriteTokens always 0: nothing is charged for what goes into the cache
     */
    @RegisterForReflection
    @Schema(name = "ResponseInputTokens")
    record InputTokens(
            @JsonProperty("cached_tokens") int cachedTokens,
            @JsonProperty("cache_write_tokens") int cacheWriteTokens,
            @JsonProperty("text_tokens") int textTokens,
            @JsonProperty("image_tokens") int imageTokens) {}

    /** @param reasoningTokens always 0: they are not told apart */
    @RegisterForReflection
    @Schema(name = "ResponseOutputTokens")
    record OutputTokens(@JsonProperty("reasoning_tokens") int reasoningTokens) {}
}
