package dev.luq.openai.generation;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Where the time of one choice went, in the words of llama-server. Milliseconds; {@code prompt_ms} includes encoding
 * images.
 *
 * @param queueMillis null until the end
 * @param imageMillis null until the end
 * @param cachedCount prompt tokens that the cache held
 * @param promptCount prompt tokens that the cache did not hold
 * @param predictedPerSecond of the tokens behind the first one, which comes with the prompt
 * @param draftCount tokens that were decoded before they were sampled; null where none were
 * @param acceptedDraftCount of these, tokens of the answer; null where none were drafted
 */
@RegisterForReflection
@Schema(name = "Timings")
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ChoiceTimings(
        @JsonProperty("queue_ms") @Schema(nullable = true) Double queueMillis,
        @JsonProperty("image_ms") @Schema(nullable = true) Double imageMillis,
        @JsonProperty("cache_n") int cachedCount,
        @JsonProperty("prompt_n") int promptCount,
        @JsonProperty("prompt_ms") double promptMillis,
        @JsonProperty("prompt_per_token_ms") double promptMillisPerToken,
        @JsonProperty("prompt_per_second") double promptPerSecond,
        @JsonProperty("predicted_n") int predictedCount,
        @JsonProperty("predicted_ms") double predictedMillis,
        @JsonProperty("predicted_per_token_ms") double predictedMillisPerToken,
        @JsonProperty("predicted_per_second") double predictedPerSecond,
        @JsonProperty("draft_n") @Schema(nullable = true) Integer draftCount,
        @JsonProperty("draft_n_accepted") @Schema(nullable = true) Integer acceptedDraftCount) {

    /** @return null when the worker measured nothing */
    public static ChoiceTimings of(Accepted accepted, Finished finished) {
        if (finished.timings() == null) {
            return null;
        }
        return of(
                finished.timings().queueMillis(),
                finished.timings().imageEncodeMillis(),
                accepted.cachedTokens(),
                accepted.promptTokens() - accepted.cachedTokens(),
                finished.timings().prefillMillis(),
                finished.completionTokens(),
                finished.timings().decodeMillis(),
                finished.timings().draftedTokens(),
                finished.timings().acceptedTokens());
    }

    /**
     * Of an answer that has not ended.
     *
     * @param predicted tokens so far
     */
    static ChoiceTimings soFar(Accepted accepted, double promptMillis, int predicted, double predictedMillis) {
        int prompt = accepted.promptTokens() - accepted.cachedTokens();
        return of(null, null, accepted.cachedTokens(), prompt, promptMillis, predicted, predictedMillis, 0, 0);
    }

    /** Of a prompt that is being evaluated. */
    static ChoiceTimings ofPrompt(StreamReports.PromptProgress progress) {
        int done = progress.processed() - progress.cached();
        return of(null, null, progress.cached(), done, progress.millis(), 0, 0, 0, 0);
    }

    private static ChoiceTimings of(
            Double queue,
            Double image,
            int cached,
            int prompt,
            double prefill,
            int predicted,
            double decode,
            int drafted,
            int accepted) {
        int steps = predicted - 1;
        return new ChoiceTimings(
                queue,
                image,
                cached,
                prompt,
                prefill,
                perToken(prompt, prefill),
                perSecond(prompt, prefill),
                predicted,
                decode,
                perToken(steps, decode),
                perSecond(steps, decode),
                drafted > 0 ? drafted : null,
                drafted > 0 ? accepted : null);
    }

    private static double perSecond(int count, double millis) {
        return count > 0 && millis > 0 ? 1000 * count / millis : 0;
    }

    private static double perToken(int count, double millis) {
        return count > 0 ? millis / count : 0;
    }
}
