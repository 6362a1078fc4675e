package dev.luq.llama;

import java.util.Map;

/**
 * How tokens are chosen. The steps are taken in llama.cpp's order: logit bias, penalties, top-k, top-p, min-p,
 * temperature, and the draw.
 *
 * @param temperature 0 or more; 0 takes the likeliest token
 * @param topP greater than 0 and up to 1; 1 is off
 * @param topK 0 is off
 * @param minP 0 to 1; 0 is off
 * @param frequencyPenalty 0 is off. Penalties look at the last 64 tokens
 * @param presencePenalty 0 is off
 * @param repeatPenalty greater than 0; 1 is off
 * @param seed equal seeds draw equally from equal logits
 * @param logitBias token id to what is added to its logit
 * @param textBias text to what is added to the logit of each of its tokens
 * @param ignoreEnd whether tokens that end the generation are never chosen, unless a grammar allows nothing else
 */
public record SamplerOptions(
        float temperature,
        float topP,
        int topK,
        float minP,
        float frequencyPenalty,
        float presencePenalty,
        float repeatPenalty,
        long seed,
        Map<Integer, Float> logitBias,
        Map<String, Float> textBias,
        boolean ignoreEnd) {

    /** Always the likeliest token. */
    public static final SamplerOptions GREEDY = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of());

    public SamplerOptions {
        logitBias = Map.copyOf(logitBias);
        textBias = Map.copyOf(textBias);
    }

    /** The generation ends when the model ends it; no texts have biases. */
    public SamplerOptions(
            float temperature,
            float topP,
            int topK,
            float minP,
            float frequencyPenalty,
            float presencePenalty,
            float repeatPenalty,
            long seed,
            Map<Integer, Float> logitBias) {
        this(
                temperature,
                topP,
                topK,
                minP,
                frequencyPenalty,
                presencePenalty,
                repeatPenalty,
                seed,
                logitBias,
                Map.of(),
                false);
    }
}
