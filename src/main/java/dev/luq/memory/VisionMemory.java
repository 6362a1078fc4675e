package dev.luq.memory;

import dev.luq.gguf.Gguf;

/**
 * What encoding the largest image takes beside a projector's weights. The formulas follow llama.cpp v0.5.0's clip with flash
 * attention, whose buffers grow to the largest image that was encoded and stay.
 *
 * @param width of the encoder's embeddings
 * @param feedForward width of its feed-forward part
 * @param gate whether that part has a gate beside what it multiplies
 * @param windows whether some layers see windows of the image only
 */
public record VisionMemory(long width, long feedForward, boolean gate, boolean windows) {

    /** What a worker takes for a projector's tables and for handling pixels, measured on the demo model. */
    private static final long PROJECTOR_BYTES = 10L << 20;

    private static final int CHANNELS = 3;
    private static final int FLOAT = 4;
    private static final int HALF = 2;

    /** @param imageTokens tokens of the largest image; without meaning for projectors of a fixed image size */
    public static long of(Gguf mmproj, long imageTokens) {
        VisionMemory encoder = new VisionMemory(
                integer(mmproj, "embedding_length"),
                integer(mmproj, "feed_forward_length"),
                mmproj.tensor("v.blk.0.ffn_gate.weight").isPresent(),
                integer(mmproj, "n_wa_pattern") > 0);
        long patchSide = Math.max(1, integer(mmproj, "patch_size"));
        long side = integer(mmproj, "image_size") / patchSide;
        boolean anySize = mmproj.text("clip.projector_type").orElse("").startsWith("qwen");
        // Qwen's projectors make one token of four patches; the others have a class embedding in front.
        long patches = anySize ? 4 * imageTokens : side * side + 1;
        long pixels = patches * CHANNELS * patchSide * patchSide;
        // As decoded and as llama.cpp takes them; freed memory of this size stays with the process.
        return PROJECTOR_BYTES + 2 * pixels * FLOAT + encoder.buffer(patches) + encoder.lowered(patches);
    }

    /**
     * llama.cpp's compute buffer, whose largest moment is one of two. In attention: the residual stream, queries, keys and
     * values, these again as halves, and what comes out. In the feed-forward part: what goes in and out, and the inner
     * activations, of which a gate makes three. The mask of windows is a square of patches as floats until the first
     * attention, which makes halves of it, and as halves from then on.
     */
    public long buffer(long patches) {
        long square = windows ? patches * patches : 0;
        long attention = square * (FLOAT + HALF) + patches * 9 * width * HALF;
        long inner = square * HALF + patches * ((gate ? 3 : 1) * feedForward * FLOAT + (gate ? 8 : 9) * width * HALF);
        return Math.max(attention, inner);
    }

    /** The widest activations in the lower precision that products are computed from. */
    private long lowered(long patches) {
        return patches * Math.max(width, feedForward) * HALF;
    }

    private static long integer(Gguf mmproj, String key) {
        return mmproj.integer("clip.vision." + key).orElse(0);
    }
}
