package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.Sampling;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * How a completion is generated, in llama-server's words; what this server does not have is off.
 *
 * @param seed 4294967295 when it is drawn
 * @param maxTokens -1 for as many as the context holds
 * @param samplers in their order
 */
@RegisterForReflection
@Schema(name = "NativeSettings")
record NativeSettings(
        @JsonProperty("seed") long seed,
        @JsonProperty("temperature") float temperature,
        @JsonProperty("top_k") int topK,
        @JsonProperty("top_p") float topP,
        @JsonProperty("min_p") float minP,
        @JsonProperty("repeat_last_n") int penaltyWindow,
        @JsonProperty("repeat_penalty") float repeatPenalty,
        @JsonProperty("presence_penalty") float presencePenalty,
        @JsonProperty("frequency_penalty") float frequencyPenalty,
        @JsonProperty("logit_bias") List<TokenBias> logitBias,
        @JsonProperty("ignore_eos") boolean ignoreEos,
        @JsonProperty("stop") List<String> stop,
        @JsonProperty("max_tokens") int maxTokens,
        @JsonProperty("n_predict") int predict,
        @JsonProperty("n_probs") int probabilities,
        @JsonProperty("stream") boolean stream,
        @JsonProperty("samplers") List<String> samplers,
        @JsonProperty("dynatemp_range") float dynamicTemperature,
        @JsonProperty("typical_p") float typicalP,
        @JsonProperty("xtc_probability") float xtcProbability,
        @JsonProperty("top_n_sigma") float topSigma,
        @JsonProperty("dry_multiplier") float dryMultiplier,
        @JsonProperty("mirostat") int mirostat,
        @JsonProperty("adaptive_target") float adaptiveTarget,
        @JsonProperty("adaptive_decay") float adaptiveDecay) {

    /**
     * Of a token, or of each token of a text.
     *
     * @param token its id; null for a text
     * @param text null for a token
     * @param bias null for one that is never chosen
     */
    @RegisterForReflection
    @Schema(name = "TokenBias")
    record TokenBias(
            @JsonProperty("token") @JsonInclude(JsonInclude.Include.NON_NULL) Integer token,
            @JsonProperty("text") @JsonInclude(JsonInclude.Include.NON_NULL) String text,
            @JsonProperty("bias") Float bias) {

        private static List<TokenBias> of(Sampling sampling, List<Integer> endTokens) {
            List<TokenBias> biases = new ArrayList<>();
            if (sampling.logitBias() != null) {
                sampling.logitBias().forEach((token, bias) -> biases.add(new TokenBias(token, null, bias)));
            }
            sampling.textBias().forEach((text, bias) -> biases.add(new TokenBias(null, text, bias)));
            if (sampling.ignoreEos()) {
                endTokens.forEach(token -> biases.add(new TokenBias(token, null, null)));
            }
            return biases;
        }
    }

    /** Of completions in llama-server's form, as its documentation has them. */
    private static final Sampling SAMPLING = new Sampling(0.8f, 0.95f, 40, 0.05f, 0, 0, 1, null, null, false);

    static final long DRAWN_SEED = 0xFFFFFFFFL;
    private static final int PENALTY_WINDOW = 64;
    private static final List<String> SAMPLERS = List.of("penalties", "top_k", "top_p", "min_p", "temperature");
    private static final float OFF = 0;
    private static final float NEGATIVE_OFF = -1;
    private static final float ADAPTIVE_DECAY = 0.9f;

    /** What a request without settings gets. */
    static NativeSettings defaults(ModelDefaults model) {
        int maxTokens = model.maxTokens() == null ? 0 : model.maxTokens();
        return of(sampling(model), List.of(), maxTokens, List.of(), 0, false);
    }

    /** The sampling of a request that says nothing of it. */
    static Sampling sampling(ModelDefaults model) {
        return new Sampling(
                or(model.temperature(), SAMPLING.temperature()),
                or(model.topP(), SAMPLING.topP()),
                model.topK() == null ? SAMPLING.topK() : model.topK(),
                or(model.minP(), SAMPLING.minP()),
                0,
                0,
                or(model.repeatPenalty(), 1),
                model.seed(),
                null,
                false);
    }

    private static float or(Double configured, float otherwise) {
        return configured == null ? otherwise : configured.floatValue();
    }

    /**
     * @param endTokens that end an answer unless they are ignored
     * @param maxTokens 0 for as many as the context holds
     */
    static NativeSettings of(
            Sampling sampling,
            List<Integer> endTokens,
            int maxTokens,
            List<String> stop,
            int probabilities,
            boolean stream) {
        int most = maxTokens == 0 ? -1 : maxTokens;
        return new NativeSettings(
                sampling.seed() == null ? DRAWN_SEED : sampling.seed(),
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                PENALTY_WINDOW,
                sampling.repeatPenalty(),
                sampling.presencePenalty(),
                sampling.frequencyPenalty(),
                TokenBias.of(sampling, endTokens),
                sampling.ignoreEos(),
                stop,
                most,
                most,
                probabilities,
                stream,
                SAMPLERS,
                OFF,
                1,
                OFF,
                NEGATIVE_OFF,
                OFF,
                0,
                NEGATIVE_OFF,
                ADAPTIVE_DECAY);
    }
}
