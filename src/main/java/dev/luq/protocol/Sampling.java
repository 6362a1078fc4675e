package dev.luq.protocol;

import java.util.Map;

/**
 * Sampling parameters, named and ranged as in the OpenAI API and llama.cpp.
 *
 * @param temperature 0..2; 0 is greedy
 * @param topP 0..1; 1 is off
 * @param topK 0 is off
 * @param minP 0..1; 0 is off
 * @param frequencyPenalty -2..2; 0 is off
 * @param presencePenalty -2..2; 0 is off
 * @param repeatPenalty 1 is off
 * @param seed null for a random one
 * @param logitBias token id to -100..100
 * @param textBias text to -100..100 for each of its tokens
 * @param ignoreEos whether the answer goes on where the model would end it
 */
public record Sampling(
        float temperature,
        float topP,
        int topK,
        float minP,
        float frequencyPenalty,
        float presencePenalty,
        float repeatPenalty,
        Long seed,
        Map<Integer, Float> logitBias,
        Map<String, Float> textBias,
        boolean ignoreEos) {

    /** Without biases of texts. */
    public Sampling(
            float temperature,
            float topP,
            int topK,
            float minP,
            float frequencyPenalty,
            float presencePenalty,
            float repeatPenalty,
            Long seed,
            Map<Integer, Float> logitBias,
            boolean ignoreEos) {
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
                ignoreEos);
    }

    /** The OpenAI defaults: temperature 1, top_p 1, everything else off. */
    public static final Sampling DEFAULT = new Sampling(1f, 1f, 0, 0f, 0f, 0f, 1f, null, Map.of(), false);

    /** Always the likeliest token. */
    public static final Sampling GREEDY = new Sampling(0f, 1f, 0, 0f, 0f, 0f, 1f, null, Map.of(), false);

    /** The same with this seed. */
    public Sampling withSeed(long newSeed) {
        return new Sampling(
                temperature,
                topP,
                topK,
                minP,
                frequencyPenalty,
                presencePenalty,
                repeatPenalty,
                newSeed,
                logitBias,
                textBias,
                ignoreEos);
    }
}
