package dev.luq.openai.chat;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Tokens of one answer. The prompt counts once, however many choices were generated from it. */
@RegisterForReflection
@Schema(name = "Usage")
record Usage(
        @JsonProperty("prompt_tokens") int promptTokens,
        @JsonProperty("completion_tokens") int completionTokens,
        @JsonProperty("total_tokens") int totalTokens,
        @JsonProperty("prompt_tokens_details") PromptTokens promptTokensDetails) {

    static final Usage NONE = new Usage(0, 0, 0, new PromptTokens(0, 0, 0));

    /** @param cachedTokens of all prompt tokens, those taken from the cache */
    @RegisterForReflection
    @Schema(name = "PromptTokens")
    record PromptTokens(
            @JsonProperty("cached_tokens") int cachedTokens,
            @JsonProperty("text_tokens") int textTokens,
            @JsonProperty("image_tokens") int imageTokens) {}

    /** With the prompt of a further choice. The first choice tells what the cache held before. */
    Usage plus(Accepted accepted) {
        if (promptTokens > 0) {
            return this;
        }
        return new Usage(
                accepted.promptTokens(),
                completionTokens,
                accepted.promptTokens() + completionTokens,
                new PromptTokens(
                        accepted.cachedTokens(),
                        accepted.promptTokens() - accepted.imageTokens(),
                        accepted.imageTokens()));
    }

    Usage plus(Finished finished) {
        int completion = completionTokens + finished.completionTokens();
        return new Usage(promptTokens, completion, promptTokens + completion, promptTokensDetails);
    }
}
