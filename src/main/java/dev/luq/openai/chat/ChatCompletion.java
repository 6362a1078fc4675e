package dev.luq.openai.chat;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.ChoiceDraft;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.ChoiceTimings;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Usage;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.Finished;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The whole answer of a request without {@code stream}. */
@RegisterForReflection
@Schema(name = "ChatCompletion")
record ChatCompletion(
        @JsonProperty("id") String id,
        @JsonProperty("object") String object,
        @JsonProperty("created") long created,
        @JsonProperty("model") String model,
        @JsonProperty("system_fingerprint") String systemFingerprint,
        @JsonProperty("choices") List<Choice> choices,
        @JsonProperty("usage") Usage usage,
        @JsonProperty("__verbose") @JsonInclude(JsonInclude.Include.NON_NULL) Verbose verbose) {

    /**
     * What llama-server tells of an answer when it is asked to be verbose.
     *
     * @param prompt of the chat template, with {@code <__media__>} where images are
     */
    @RegisterForReflection
    @Schema(name = "ChatVerbose")
    record Verbose(@JsonProperty("prompt") String prompt) {}

    @RegisterForReflection
    @Schema(name = "ChatChoice")
    record Choice(
            @JsonProperty("index") int index,
            @JsonProperty("message") Message message,
            @JsonProperty("logprobs") @Schema(nullable = true) Logprobs logprobs,
            @JsonProperty("finish_reason") @Schema(enumeration = {"stop", "length", "tool_calls", "content_filter"})
                    String finishReason,
            @JsonProperty("timings") @JsonInclude(JsonInclude.Include.NON_NULL) ChoiceTimings timings) {}

    /**
     * @param content null when the answer is tool calls only
     * @param reasoningContent null unless thoughts are told from the content
     */
    @RegisterForReflection
    @Schema(name = "AssistantMessage")
    record Message(
            @JsonProperty("role") String role,
            @JsonProperty("content") @Schema(nullable = true) String content,
            @JsonProperty("reasoning_content") @JsonInclude(JsonInclude.Include.NON_NULL) String reasoningContent,
            @JsonProperty("refusal") @Schema(nullable = true) String refusal,
            @JsonProperty("tool_calls") @JsonInclude(JsonInclude.Include.NON_NULL) List<ToolCall> toolCalls) {}

    @RegisterForReflection
    @Schema(name = "ToolCall")
    record ToolCall(
            @JsonProperty("id") String id,
            @JsonProperty("type") String type,
            @JsonProperty("function") Function function) {}

    /** @param arguments JSON text */
    @RegisterForReflection
    @Schema(name = "ToolCallFunction")
    record Function(@JsonProperty("name") String name, @JsonProperty("arguments") String arguments) {}

    /** Puts an answer together from its frames. Not thread-safe. */
    static final class Builder implements AnswerBuilder {
        private final CompletionHeader header;
        private final boolean logprobs;
        private final boolean timings;
        private final List<ChoiceDraft> drafts;
        private Usage usage = Usage.NONE;
        private Verbose verbose;

        Builder(CompletionHeader header, ValidRequest request) {
            this.header = header;
            this.logprobs = request.logprobs();
            this.timings = request.timings();
            this.drafts = ChoiceDraft.of(request.choices());
        }

        @Override
        public void tell(String prompt) {
            verbose = new Verbose(prompt);
        }

        @Override
        public void add(ChoiceFrame choice) {
            drafts.get(choice.choice()).add(choice.frame());
            usage = usage.plus(choice.frame());
        }

        @Override
        public ChatCompletion build() {
            List<Choice> choices = new ArrayList<>(drafts.size());
            for (int i = 0; i < drafts.size(); i++) {
                ChoiceDraft draft = drafts.get(i);
                Finished finished = draft.finished();
                choices.add(new Choice(
                        i,
                        message(draft),
                        logprobs ? Logprobs.of(draft.logprobs()) : null,
                        finished == null ? null : finished.finishReason(),
                        timings && finished != null ? ChoiceTimings.of(draft.accepted(), finished) : null));
            }
            return new ChatCompletion(
                    header.id(),
                    "chat.completion",
                    header.created(),
                    header.model(),
                    header.systemFingerprint(),
                    choices,
                    usage,
                    verbose);
        }

        private static Message message(ChoiceDraft draft) {
            List<ChoiceDraft.Call> calls = draft.calls();
            return new Message(
                    "assistant",
                    draft.content().isEmpty() && !calls.isEmpty() ? null : draft.content(),
                    draft.thoughts().isEmpty() ? null : draft.thoughts(),
                    null,
                    calls.isEmpty()
                            ? null
                            : calls.stream()
                                    .map(call -> new ToolCall(
                                            call.id(), "function", new Function(call.name(), call.arguments())))
                                    .toList());
        }
    }
}
