package dev.luq.requant.calibrate;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * How a calibration pass is done.
 *
 * @param examples drawn from the set at most; 0 for all
 * @param vectors sampled per layer and modality at most. They take {@code vectors x width x 4} bytes on disk per layer,
 *        modality and activation: for 4096 of Qwen2.5-VL-7B 3.3 GB for the outputs
 * @param activations what is sampled
 * @param contextSize tokens of an example at most; longer ones are skipped and named
 * @param batchSize tokens evaluated at once; each takes two floats per token of the vocabulary
 * @param imageTokens larger images are reduced to this many tokens, as when the model is served; 0 takes the model's own
 *        bound
 * @param chatTemplate in place of the model's own: Jinja, or the name of one that llama.cpp has
 * @param threads compute threads; 0 takes the processors available
 * @param seed for drawing examples and sampling vectors
 * @param checkpointInterval time between checkpoints at least
 */
public record CalibrationOptions(
        int examples,
        int vectors,
        Set<Activation> activations,
        int contextSize,
        int batchSize,
        int imageTokens,
        Optional<String> chatTemplate,
        int threads,
        long seed,
        Duration checkpointInterval) {

    /** 128 examples as in the paper, of up to 2048 tokens, their images of as many as the server allows by default. */
    public static final CalibrationOptions DEFAULT = new CalibrationOptions(
            128,
            4096,
            EnumSet.allOf(Activation.class),
            2048,
            128,
            1280,
            Optional.empty(),
            0,
            1,
            Duration.ofSeconds(10));

    public CalibrationOptions {
        activations = Collections.unmodifiableSet(EnumSet.copyOf(activations));
        if (examples < 0 || vectors < 1 || contextSize < 1 || batchSize < 1 || imageTokens < 0 || threads < 0) {
            throw new IllegalArgumentException(
                    "vectors, context and batch size are 1 or more, examples, image tokens" + " and threads 0 or more");
        }
    }
}
