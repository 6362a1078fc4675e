package dev.luq.openai.generation;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Where the time of one choice went, in the words of llama-server. Milliseconds; {@code prompt_ms} includes encoding
 * images.
 *
 * @param cachedCount prompt tokens that the cache held
 * @param promptCount prompt tokens that the cache did not hold
 * @param predictedPerSecond of the tokens behind the first one, which comes with the prompt
 */
@RegisterForReflection
@Schema(name = "Timings")
public record ChoiceTimings(
        @JsonProperty("queue_ms") double queueMillis,
        @JsonProperty("image_ms") double imageMillis,
        @JsonProperty("cache_n") int cachedCount,
        @JsonProperty("prompt_n") int promptCount,
        @JsonProperty("prompt_ms") double promptMillis,
        @JsonProperty("prompt_per_token_ms") double promptMillisPerToken,
        @JsonProperty("prompt_per_second") double promptPerSecond,
        @JsonProperty("predicted_n") int predictedCount,
        @JsonProperty("predicted_ms") double predictedMillis,
        @JsonProperty("predicted_per_token_ms") double predictedMillisPerToken,
        @JsonProperty("predicted_per_second") double predictedPerSecond) {

    /** @return null when the worker measured nothing */
    public static ChoiceTimings of(Accepted accepted, Finished finished) {
        if (finished.timings() == null) {
            return null;
        }
        int prompt = accepted.promptTokens() - accepted.cachedTokens();
        double prefill = finished.timings().prefillMillis();
        double decode = finished.timings().decodeMillis();
        int steps = finished.completionTokens() - 1;
        return new ChoiceTimings(
                finished.timings().queueMillis(),
                finished.timings().imageEncodeMillis(),
                accepted.cachedTokens(),
                prompt,
                prefill,
                perToken(prompt, prefill),
                perSecond(prompt, prefill),
                finished.completionTokens(),
                decode,
                perToken(steps, decode),
                perSecond(steps, decode));
    }

    private static double perSecond(int count, double millis) {
        return millis > 0 ? 1000 * count / millis : 0;
    }

    private static double perToken(int count, double millis) {
        return count > 0 ? millis / count : 0;
    }
}
