package dev.luq.requant.feed;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A projector of Gemma 3's kind and of random weights: the tokens of a picture see each other and are decoded at once. */
final class Gemma3Projector {

    /** Of each picture. */
    static final int TOKENS = 16;

    private static final int PATCH = 14;
    private static final long WIDTH = 64;
    private static final long FEED_FORWARD = 64;

    private Gemma3Projector() {}

    /**
     * @param file to be written
     * @param width of the language model's embeddings
     */
    static Path write(Path file, long width) throws IOException {
        List<GgufTensor> tensors = tensors(width);
        SplittableRandom random = new SplittableRandom(1);
        try (GgufWriter writer = GgufWriter.create(file, metadata(width), tensors)) {
            for (GgufTensor tensor : tensors) {
                ByteBuffer floats =
                        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
                while (floats.hasRemaining()) {
                    floats.putFloat(tensor.shape().size() == 1 ? 1 : (float) random.nextDouble(-0.1, 0.1));
                }
                writer.begin(tensor.name());
                writer.write(floats.flip());
            }
            writer.commit();
        }
        return file;
    }

    private static Map<String, GgufValue> metadata(long width) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text("clip"));
        metadata.put("clip.has_vision_encoder", new GgufValue.Bool(true));
        metadata.put("clip.use_gelu", new GgufValue.Bool(true));
        metadata.put("clip.projector_type", GgufValue.text("gemma3"));
        Map.of(
                        "image_size",
                        4 * PATCH,
                        "patch_size",
                        PATCH,
                        "embedding_length",
                        (int) WIDTH,
                        "feed_forward_length",
                        (int) FEED_FORWARD,
                        "block_count",
                        1,
                        "attention.head_count",
                        2,
                        "projection_dim",
                        (int) width,
                        "projector.scale_factor",
                        1)
                .forEach((key, value) -> metadata.put("clip.vision." + key, GgufValue.uint32(value)));
        metadata.put("clip.vision.attention.layer_norm_epsilon", GgufValue.float32(1e-6f));
        GgufValue half = GgufValue.float32(0.5f);
        for (String key : List.of("image_mean", "image_std")) {
            metadata.put("clip.vision." + key, GgufValue.Array.of(GgufValueType.FLOAT32, List.of(half, half, half)));
        }
        return metadata;
    }

    private static List<GgufTensor> tensors(long width) {
        List<GgufTensor> tensors = new ArrayList<>(List.of(
                tensor("v.patch_embd.weight", PATCH, PATCH, 3, WIDTH),
                tensor("v.patch_embd.bias", WIDTH),
                tensor("v.position_embd.weight", WIDTH, TOKENS),
                tensor("v.post_ln.weight", WIDTH),
                tensor("v.post_ln.bias", WIDTH),
                tensor("mm.soft_emb_norm.weight", WIDTH),
                tensor("mm.input_projection.weight", width, WIDTH)));
        for (String name : List.of("ln1", "ln2")) {
            tensors.add(tensor("v.blk.0." + name + ".weight", WIDTH));
            tensors.add(tensor("v.blk.0." + name + ".bias", WIDTH));
        }
        for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_out")) {
            tensors.add(tensor("v.blk.0." + name + ".weight", WIDTH, WIDTH));
            tensors.add(tensor("v.blk.0." + name + ".bias", WIDTH));
        }
        tensors.add(tensor("v.blk.0.ffn_up.weight", WIDTH, FEED_FORWARD));
        tensors.add(tensor("v.blk.0.ffn_up.bias", FEED_FORWARD));
        tensors.add(tensor("v.blk.0.ffn_down.weight", FEED_FORWARD, WIDTH));
        tensors.add(tensor("v.blk.0.ffn_down.bias", WIDTH));
        return tensors;
    }

    private static GgufTensor tensor(String name, long... shape) {
        List<Long> extents = new ArrayList<>();
        for (long extent : shape) {
            extents.add(extent);
        }
        return new GgufTensor(name, GgmlType.F32, extents);
    }
}
