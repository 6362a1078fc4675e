package dev.luq.memory;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.ModelFacts;
import java.util.Set;

/**
 * What encoding the largest image takes beside a projector's weights. The formulas follow llama.cpp v0.5.0's clip with flash
 * attention and our patches, whose buffers grow to the largest image that was encoded and stay.
 *
 * @param width of the encoder's embeddings
 * @param feedForward width of its feed-forward part
 * @param gate whether that part has a gate beside what it multiplies
 * @param windows whether some layers see windows of the image only
 */
public record VisionMemory(long width, long feedForward, boolean gate, boolean windows) {

    /** What a worker takes for a projector's tables and for handling pixels, measured on the demo model. */
    private static final long PROJECTOR_BYTES = 10L << 20;

    /** As patch 0012 cuts a picture. */
    private static final long PART = 2048;

    private static final long PARTS = 6;
    private static final int CHANNELS = 3;
    /** Projectors whose encoder gets pictures, or tiles of them, of one size; old files do not name theirs. */
    private static final Set<String> ONE_SIZE = Set.of(
            "", "mlp", "mlp_norm", "ldp", "ldpv2", "resampler", "adapter", "gemma3", "idefics3", "internvl", "llama4");

    /** Values of a patch of Qwen2.5-VL: 14 x 14 pixels. */
    private static final long PATCH_PIXELS = CHANNELS * 14 * 14;

    private static final int FLOAT = 4;
    private static final int HALF = 2;

    /** @param shape with the tokens of the largest image; without meaning for projectors of a fixed image size */
    public static long of(Gguf mmproj, ServingShape shape) {
        VisionMemory encoder = new VisionMemory(
                integer(mmproj, "embedding_length"),
                integer(mmproj, "feed_forward_length"),
                mmproj.tensor("v.blk.0.ffn_gate.weight").isPresent(),
                integer(mmproj, "n_wa_pattern") > 0);
        long patchSide = Math.max(1, integer(mmproj, "patch_size"));
        long side = integer(mmproj, "image_size") / patchSide;
        String type = ModelFacts.projectorType(mmproj);
        // Most projectors of any size make one token of four patches; the others have a class embedding in front.
        long fixed = type.startsWith("qwen") ? 0 : side * side + 1;
        long patches = ONE_SIZE.contains(type) ? fixed : Math.max(fixed, 4L * shape.imageTokens());
        long pixels = patches * CHANNELS * patchSide * patchSide;
        // As decoded and as llama.cpp takes them; freed memory of this size stays with the process.
        return PROJECTOR_BYTES
                + 2 * pixels * FLOAT
                + encoder.buffer(patches)
                + encoder.packed(patches, shape.threads());
    }

    /**
     * The compute buffer of llama.cpp with our patch 0012, whose largest moment is one of three. At the start: pixels, these
     * as halves, and four times the residual stream. In attention: the residual stream, keys and values of all patches as
     * halves, and of the patches that go through a layer together queries, keys and values, these as halves, and what comes
     * out. In the feed-forward part: the same of all patches, and of those that go through together what goes in and out and
     * the inner activations, of which a gate makes three. Without windows all patches go through together, and pixels are
     * not held.
     *
     * @return an upper bound: buffers are reused in ways that depend on their sizes
     */
    public long buffer(long patches) {
        long stream = width * FLOAT;
        long inner = (gate ? 3 : 1) * feedForward * FLOAT;
        if (!windows) {
            return patches * Math.max(9 * width * HALF, inner + (gate ? 8 : 9) * width * HALF);
        }
        long start = patches * (PATCH_PIXELS * FLOAT + PATCH_PIXELS * HALF + 4 * stream);
        long all = patches * (PATCH_PIXELS * FLOAT + 2 * stream);
        return Math.max(start, all + together(patches) * Math.max(5 * stream, inner + 2 * stream));
    }

    /** The patches that go through a layer together. */
    private long together(long patches) {
        return windows ? Math.min(patches, Math.max(PART, patches / PARTS)) : patches;
    }

    private long packed(long patches, int threads) {
        return KernelMemory.of(together(patches), Math.max(width, feedForward), threads);
    }

    private static long integer(Gguf mmproj, String key) {
        return mmproj.integer("clip.vision." + key).orElse(0);
    }
}
