package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.openai.generation.ChoiceTimings;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * The end of a completion in llama-server's form, with all of its text unless that was streamed.
 *
 * @param index of the choice: all of the first prompt come first
 * @param tokens ids; empty unless they were asked for
 * @param prompt where it was text
 * @param stopType {@code eos}, {@code word} or {@code limit}
 * @param stoppingWord the stop string that ended it, or empty
 * @param cachedTokens of the prompt, those that the cache held
 */
@RegisterForReflection
@Schema(name = "NativeCompletion")
@JsonInclude(JsonInclude.Include.NON_NULL)
record NativeCompletion(
        @JsonProperty("index") int index,
        @JsonProperty("content") String content,
        @JsonProperty("tokens") List<Integer> tokens,
        @JsonProperty("stop") boolean stop,
        @JsonProperty("model") String model,
        @JsonProperty("tokens_predicted") int predictedTokens,
        @JsonProperty("tokens_evaluated") int promptTokens,
        @JsonProperty("generation_settings") NativeSettings settings,
        @JsonProperty("prompt") String prompt,
        @JsonProperty("has_new_line") boolean hasNewLine,
        @JsonProperty("truncated") boolean truncated,
        @JsonProperty("stop_type") @Schema(enumeration = {"eos", "word", "limit"}) String stopType,
        @JsonProperty("stopping_word") String stoppingWord,
        @JsonProperty("tokens_cached") int cachedTokens,
        @JsonProperty("timings") ChoiceTimings timings,
        @JsonProperty("completion_probabilities") List<Probability> probabilities) {

    /** A token with the likeliest ones in its place. */
    @RegisterForReflection
    @Schema(name = "NativeProbability")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Probability(
            @JsonProperty("id") int id,
            @JsonProperty("token") String token,
            @JsonProperty("logprob") double logprob,
            @JsonProperty("bytes") List<Integer> bytes,
            @JsonProperty("top_logprobs") List<Probability> top) {

        static List<Probability> of(List<TokenLogprob> tokens) {
            return tokens.stream()
                    .map(token -> of(
                            token,
                            token.top().stream().map(other -> of(other, null)).toList()))
                    .toList();
        }

        private static Probability of(TokenLogprob token, List<Probability> top) {
            return new Probability(token.id(), token.token(), token.logprob(), token.bytes(), top);
        }
    }
}
