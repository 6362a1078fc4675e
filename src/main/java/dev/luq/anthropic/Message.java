package dev.luq.anthropic;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.ChoiceDraft;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * An answer: the whole of it, or as it begins a stream.
 *
 * @param stopSequence the request's stop sequence that ended it, or null
 */
@RegisterForReflection
@Schema(name = "Message")
record Message(
        @JsonProperty("id") String id,
        @JsonProperty("type") @Schema(enumeration = "message") String type,
        @JsonProperty("role") @Schema(enumeration = "assistant") String role,
        @JsonProperty("model") String model,
        @JsonProperty("content") List<Block> content,
        @JsonProperty("stop_reason")
                @Schema(
                        nullable = true,
                        enumeration = {"end_turn", "max_tokens", "stop_sequence", "tool_use"})
                String stopReason,
        @JsonProperty("stop_sequence") @Schema(nullable = true) String stopSequence,
        @JsonProperty("usage") MessageUsage usage) {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /** What an answer consists of; of the fields, those of its type are there. */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "MessageBlock")
    record Block(
            @JsonProperty("type") @Schema(enumeration = {"text", "tool_use"}) String type,
            @JsonProperty("text") @Schema(nullable = true) String text,
            @JsonProperty("id") @Schema(nullable = true) String id,
            @JsonProperty("name") @Schema(nullable = true) String name,
            @JsonProperty("input") @Schema(type = SchemaType.OBJECT, nullable = true) JsonNode input) {

        static Block text(String text) {
            return new Block("text", text, null, null, null);
        }

        /** @param callId as the worker gave it */
        static Block toolUse(String callId, String name, JsonNode input) {
            return new Block("tool_use", null, ToolUseIds.ofCall(callId), name, input);
        }
    }

    /** The first event's message, without content. */
    static Message begun(CompletionHeader header, Accepted accepted) {
        return new Message(
                header.id(),
                "message",
                "assistant",
                header.model(),
                List.of(),
                null,
                null,
                MessageUsage.of(accepted, 0));
    }

    /** Why an answer ended, in the words of this API. */
    static String stopReason(Finished finished) {
        return switch (finished.finishReason()) {
            case "length" -> "max_tokens";
            case "tool_calls" -> "tool_use";
            default -> finished.stop() == null ? "end_turn" : "stop_sequence";
        };
    }

    /** Puts an answer together from its frames. Not thread-safe. */
    static final class Builder implements AnswerBuilder {
        private final CompletionHeader header;
        private final ChoiceDraft draft = new ChoiceDraft();

        Builder(CompletionHeader header) {
            this.header = header;
        }

        @Override
        public void add(ChoiceFrame frame) {
            draft.add(frame.frame());
        }

        @Override
        public Message build() {
            List<Block> blocks = new ArrayList<>();
            if (!draft.content().isEmpty()) {
                blocks.add(Block.text(draft.content()));
            }
            draft.calls().forEach(call -> blocks.add(Block.toolUse(call.id(), call.name(), input(call.arguments()))));
            return new Message(
                    header.id(),
                    "message",
                    "assistant",
                    header.model(),
                    blocks,
                    stopReason(draft.finished()),
                    draft.finished().stop(),
                    MessageUsage.of(draft.accepted(), draft.finished().completionTokens()));
        }

        /** An answer that is cut off may end within a call: its input is empty. */
        private static JsonNode input(String arguments) {
            try {
                JsonNode input = JSON.readTree(arguments);
                return input.isObject() ? input : JsonNodeFactory.instance.objectNode();
            } catch (JsonProcessingException e) {
                return JsonNodeFactory.instance.objectNode();
            }
        }
    }
}
