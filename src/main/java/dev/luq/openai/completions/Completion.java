package dev.luq.openai.completions;

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
import java.util.function.IntFunction;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The whole answer of a request without {@code stream}. */
@RegisterForReflection
@Schema(name = "Completion")
record Completion(
        @JsonProperty("id") String id,
        @JsonProperty("object") String object,
        @JsonProperty("created") long created,
        @JsonProperty("model") String model,
        @JsonProperty("system_fingerprint") String systemFingerprint,
        @JsonProperty("choices") List<Choice> choices,
        @JsonProperty("usage") Usage usage) {

    /** @param index all choices of the first prompt come first */
    @RegisterForReflection
    @Schema(name = "CompletionChoice")
    record Choice(
            @JsonProperty("text") String text,
            @JsonProperty("index") int index,
            @JsonProperty("logprobs") @Schema(nullable = true) TextLogprobs logprobs,
            @JsonProperty("finish_reason") @Schema(enumeration = {"stop", "length"}) String finishReason,
            @JsonProperty("timings") @JsonInclude(JsonInclude.Include.NON_NULL) ChoiceTimings timings) {}

    /** Puts an answer together from its frames. Not thread-safe. */
    static final class Builder implements AnswerBuilder {
        private final CompletionHeader header;
        private final int choicesPerPrompt;
        private final boolean logprobs;
        private final boolean timings;
        private final IntFunction<String> echoed;
        private final List<ChoiceDraft> drafts;
        private final PromptUsage usage;

        /** @param echoed what the choices of a prompt begin with */
        Builder(CompletionHeader header, ValidRequest request, IntFunction<String> echoed) {
            this.header = header;
            this.choicesPerPrompt = request.choicesPerPrompt();
            this.logprobs = request.logprobs();
            this.timings = request.timings();
            this.echoed = echoed;
            this.drafts = ChoiceDraft.of(request.choices());
            this.usage = new PromptUsage(request.prompts().size(), request.choicesPerPrompt());
        }

        @Override
        public void add(ChoiceFrame choice) {
            drafts.get(choice.choice()).add(choice.frame());
            usage.add(choice);
        }

        @Override
        public Completion build() {
            List<Choice> choices = new ArrayList<>(drafts.size());
            for (int i = 0; i < drafts.size(); i++) {
                ChoiceDraft draft = drafts.get(i);
                Finished finished = draft.finished();
                choices.add(new Choice(
                        echoed.apply(i / choicesPerPrompt) + draft.content(),
                        i,
                        logprobs ? TextLogprobs.of(draft.logprobs(), 0) : null,
                        finished == null ? null : finished.finishReason(),
                        timings && finished != null ? ChoiceTimings.of(draft.accepted(), finished) : null));
            }
            return new Completion(
                    header.id(),
                    "text_completion",
                    header.created(),
                    header.model(),
                    header.systemFingerprint(),
                    choices,
                    usage.sum());
        }
    }
}
