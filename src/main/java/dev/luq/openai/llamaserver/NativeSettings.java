package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.Sampling;
import io.quarkus.runtime.annotations.RegisterForReflection;
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

    /** Of completions in llama-server's form, as its documentation has them. */
    static final float TEMPERATURE = 0.8f;

    static final int TOP_K = 40;
    static final float TOP_P = 0.95f;
    static final float MIN_P = 0.05f;

    private static final long DRAWN_SEED = 0xFFFFFFFFL;
    private static final int PENALTY_WINDOW = 64;
    private static final List<String> SAMPLERS = List.of("penalties", "top_k", "top_p", "min_p", "temperature");
    private static final float OFF = 0;
    private static final float NEGATIVE_OFF = -1;
    private static final float ADAPTIVE_DECAY = 0.9f;

    /** What a request without settings gets. */
    static NativeSettings defaults() {
        Sampling sampling = new Sampling(TEMPERATURE, TOP_P, TOP_K, MIN_P, 0, 0, 1, null, null, false);
        return of(sampling, 0, List.of(), 0, false);
    }

    /** @param maxTokens 0 for as many as the context holds */
    static NativeSettings of(
            Sampling sampling, int maxTokens, List<String> stop, int probabilities, boolean stream) {
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
