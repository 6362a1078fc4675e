package dev.luq.openai.chat;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
        @JsonProperty("usage") Usage usage) {

    @RegisterForReflection
    @Schema(name = "ChatChoice")
    record Choice(
            @JsonProperty("index") int index,
            @JsonProperty("message") Message message,
            @JsonProperty("logprobs") @Schema(nullable = true) Logprobs logprobs,
            @JsonProperty("finish_reason") @Schema(enumeration = {"stop", "length", "tool_calls", "content_filter"})
                    String finishReason,
            @JsonProperty("timings") @JsonInclude(JsonInclude.Include.NON_NULL) ChoiceTimings timings) {}

    /** @param content null when the answer is tool calls only */
    @RegisterForReflection
    @Schema(name = "AssistantMessage")
    record Message(
            @JsonProperty("role") String role,
            @JsonProperty("content") @Schema(nullable = true) String content,
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
    static final class Builder {
        private final CompletionHeader header;
        private final boolean logprobs;
        private final boolean timings;
        private final List<Draft> drafts = new ArrayList<>();
        private Usage usage = Usage.NONE;

        Builder(CompletionHeader header, int choices, boolean logprobs, boolean timings) {
            this.header = header;
            this.logprobs = logprobs;
            this.timings = timings;
            for (int i = 0; i < choices; i++) {
                drafts.add(new Draft());
            }
        }

        void add(ChoiceFrame choice) {
            Draft draft = drafts.get(choice.choice());
            if (choice.frame() instanceof Accepted accepted) {
                draft.accepted = accepted;
                usage = usage.plus(accepted);
            } else if (choice.frame() instanceof Delta delta) {
                draft.add(delta);
            } else if (choice.frame() instanceof Finished finished) {
                draft.finished = finished;
                usage = usage.plus(finished);
            }
        }

        ChatCompletion build() {
            List<Choice> choices = new ArrayList<>(drafts.size());
            for (int i = 0; i < drafts.size(); i++) {
                Draft draft = drafts.get(i);
                choices.add(new Choice(
                        i,
                        draft.message(),
                        logprobs ? Logprobs.of(draft.logprobs) : null,
                        draft.finished == null ? null : draft.finished.finishReason(),
                        timings && draft.finished != null ? ChoiceTimings.of(draft.accepted, draft.finished) : null));
            }
            return new ChatCompletion(
                    header.id(),
                    "chat.completion",
                    header.created(),
                    header.model(),
                    header.systemFingerprint(),
                    choices,
                    usage);
        }
    }

    private static final class Draft {
        private final StringBuilder content = new StringBuilder();
        private final Map<Integer, CallDraft> calls = new TreeMap<>();
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private Accepted accepted;
        private Finished finished;

        void add(Delta delta) {
            if (delta.content() != null) {
                content.append(delta.content());
            }
            if (delta.toolCall() != null) {
                calls.computeIfAbsent(delta.toolCall().index(), index -> new CallDraft())
                        .add(delta.toolCall());
            }
            if (delta.logprobs() != null) {
                logprobs.addAll(delta.logprobs());
            }
        }

        Message message() {
            return new Message(
                    "assistant",
                    content.length() == 0 && !calls.isEmpty() ? null : content.toString(),
                    null,
                    calls.isEmpty()
                            ? null
                            : calls.values().stream().map(CallDraft::call).toList());
        }
    }

    private static final class CallDraft {
        private final StringBuilder arguments = new StringBuilder();
        private String id;
        private String name;

        void add(ToolCallDelta delta) {
            id = delta.id() == null ? id : delta.id();
            name = delta.name() == null ? name : delta.name();
            if (delta.argumentsDelta() != null) {
                arguments.append(delta.argumentsDelta());
            }
        }

        ToolCall call() {
            return new ToolCall(id, "function", new Function(name, arguments.toString()));
        }
    }
}
