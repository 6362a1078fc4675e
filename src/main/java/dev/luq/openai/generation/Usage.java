package dev.luq.openai.generation;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.OfRequest;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Tokens of one answer, in OpenAI's form. The prompt counts once, however many choices were generated from it. */
@RegisterForReflection
@Schema(name = "Usage")
public record Usage(
        @JsonProperty("prompt_tokens") int promptTokens,
        @JsonProperty("completion_tokens") int completionTokens,
        @JsonProperty("total_tokens") int totalTokens,
        @JsonProperty("prompt_tokens_details") PromptTokens promptTokensDetails) {

    public static final Usage NONE = new Usage(0, 0, 0, new PromptTokens(0, 0, 0));

    /** @param cachedTokens of all prompt tokens, those taken from the cache */
    @RegisterForReflection
    @Schema(name = "PromptTokens")
    public record PromptTokens(
            @JsonProperty("cached_tokens") int cachedTokens,
            @JsonProperty("text_tokens") int textTokens,
            @JsonProperty("image_tokens") int imageTokens) {}

    /** With what a frame of a choice says of tokens, if anything. */
    public Usage plus(OfRequest frame) {
        if (frame instanceof Accepted accepted) {
            return plus(accepted);
        }
        return frame instanceof Finished finished ? plus(finished) : this;
    }

    /** The same with this many tokens of answers. */
    public Usage withCompletion(int tokens) {
        return new Usage(promptTokens, tokens, promptTokens + tokens, promptTokensDetails);
    }

    /** With the prompt of a further choice. The first choice tells what the cache held before. */
    private Usage plus(Accepted accepted) {
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

    private Usage plus(Finished finished) {
        return withCompletion(completionTokens + finished.completionTokens());
    }
}
