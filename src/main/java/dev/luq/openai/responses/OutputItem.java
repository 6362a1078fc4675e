package dev.luq.openai.responses;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.chat.Logprobs;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** A part of a response's output. */
@Schema(
        name = "ResponseOutputItem",
        oneOf = {OutputItem.Message.class, OutputItem.FunctionCall.class})
sealed interface OutputItem {

    /** Of an item to which more is to come. */
    String IN_PROGRESS = "in_progress";
    /** Of an item that is whole. */
    String COMPLETED = "completed";
    /** Of an item that was cut off. */
    String INCOMPLETE = "incomplete";

    /** Text of the model. */
    @RegisterForReflection
    @Schema(name = "ResponseOutputMessage")
    record Message(
            @JsonProperty("id") String id,
            @JsonProperty("type") @Schema(enumeration = "message") String type,
            @JsonProperty("status") @Schema(enumeration = {IN_PROGRESS, COMPLETED, INCOMPLETE}) String status,
            @JsonProperty("role") @Schema(enumeration = "assistant") String role,
            @JsonProperty("content") List<Text> content)
            implements OutputItem {}

    /**
     * The text of a message.
     *
     * @param annotations none: nothing here cites
     * @param logprobs empty where none were asked for
     */
    @RegisterForReflection
    @Schema(name = "ResponseOutputText")
    record Text(
            @JsonProperty("type") @Schema(enumeration = "output_text") String type,
            @JsonProperty("text") String text,
            @JsonProperty("annotations") List<Object> annotations,
            @JsonProperty("logprobs") List<Logprobs.Token> logprobs) {

        static Text of(String text, List<Logprobs.Token> logprobs) {
            return new Text("output_text", text, List.of(), logprobs);
        }
    }

    /**
     * A call of a function.
     *
     * @param callId what the item with the function's result names
     * @param arguments JSON text
     */
    @RegisterForReflection
    @Schema(name = "ResponseFunctionCall")
    record FunctionCall(
            @JsonProperty("id") String id,
            @JsonProperty("type") @Schema(enumeration = "function_call") String type,
            @JsonProperty("status") @Schema(enumeration = {IN_PROGRESS, COMPLETED, INCOMPLETE}) String status,
            @JsonProperty("call_id") String callId,
            @JsonProperty("name") String name,
            @JsonProperty("arguments") String arguments)
            implements OutputItem {}
}
