package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes vision projectors (mmproj) with random weights, in the layouts of LLaVA-1.5 and Qwen2.5-VL, for measuring speed and
 * memory. The same shape gives the same file.
 */
final class ProjectorSynthesizer {

    private static final int PATCH = 14;
    private static final int BUFFER_BYTES = 1 << 20;
    /** A scale that keeps activations of random blocks of Q8_0 finite. */
    private static final short Q8_SCALE = ModelSynthesizer.half(0.05 / 127);

    /**
     * A projector's size.
     *
     * @param qwen the layout of Qwen2.5-VL, which takes pictures of any size; LLaVA-1.5's otherwise
     * @param imageSize side of the picture that the model was trained with, in pixels; that of all pictures for LLaVA
     * @param width of the encoder's embeddings
     * @param projection width of the language model's embeddings
     */
    record Shape(boolean qwen, int imageSize, int layers, int width, int feedForward, int heads, int projection) {

        private static final Map<String, Shape> BY_NAME = new LinkedHashMap<>();

        static {
            BY_NAME.put("qwen2.5-vl-7b", qwen7B());
            BY_NAME.put("llava-1.5-7b", llava7B());
        }

        /**
         * A published model's.
         *
         * @param count of its layers; 0 for all
         * @throws CliException there is no such model, or it has fewer layers
         */
        static Shape named(String name, int count) {
            Shape whole = BY_NAME.get(name);
            if (whole == null) {
                throw new CliException(
                        "There is no shape " + name + ", but " + String.join(", ", BY_NAME.keySet()) + ".");
            }
            if (count < 0 || count > whole.layers) {
                throw new CliException(name + " has " + whole.layers + " layers.");
            }
            return count == 0 ? whole : whole.withLayers(count);
        }

        /** Qwen2.5-VL-7B's: 0.68 billion weights. */
        static Shape qwen7B() {
            return new Shape(true, 560, 32, 1280, 3420, 16, 3584);
        }

        /** LLaVA-1.5-7B's: CLIP ViT-L/14 at 336 pixels. */
        static Shape llava7B() {
            return new Shape(false, 336, 24, 1024, 4096, 16, 4096);
        }

        /** The same with another number of layers. */
        Shape withLayers(int count) {
            return new Shape(qwen, imageSize, count, width, feedForward, heads, projection);
        }

        /** Writes a language model with which the projector can be opened: as wide as what it puts out, one layer. */
        void writeModel(Path target) throws IOException {
            new ModelSynthesizer(
                            new ModelSynthesizer.Shape(1, projection, 1024, GgmlType.Q4_K),
                            1,
                            qwen ? "qwen2vl" : "qwen2")
                    .write(target);
        }
    }

    private final Shape shape;
    private final Precision precision;

    /** @param precision F16 or Q8_0 */
    ProjectorSynthesizer(Shape shape, Precision precision) {
        this.shape = shape;
        this.precision = precision;
    }

    /** Writes the projector; the target appears when it is complete. */
    void write(Path target) throws IOException {
        List<GgufTensor> tensors = tensors().stream()
                .map(tensor -> new GgufTensor(tensor.name(), TensorTypes.projector(precision, tensor), tensor.shape()))
                .toList();
        SplittableRandom random = new SplittableRandom(1);
        try (GgufWriter writer = GgufWriter.create(target, metadata(), tensors)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                for (long left = tensor.elements() / tensor.type().blockSize(); left > 0; ) {
                    buffer.clear();
                    for (; left > 0 && buffer.remaining() >= tensor.type().blockBytes(); left--) {
                        block(tensor, random, buffer);
                    }
                    writer.write(buffer.flip());
                }
            }
            writer.commit();
        }
    }

    private static void block(GgufTensor tensor, SplittableRandom random, ByteBuffer out) {
        switch (tensor.type()) {
            case F32 -> out.putFloat(tensor.name().endsWith("bias") ? 0 : 1);
            case Q8_0 -> {
                out.putShort(Q8_SCALE);
                for (int i = 0; i < 4; i++) {
                    out.putLong(random.nextLong());
                }
            }
            default ->
                out.putShort(ModelSynthesizer.HALF_NORMALS[random.nextInt(ModelSynthesizer.HALF_NORMALS.length)]);
        }
    }

    private Map<String, GgufValue> metadata() {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text("clip"));
        metadata.put("general.type", GgufValue.text("mmproj"));
        metadata.put("general.file_type", GgufValue.uint32(precision == Precision.Q8_0 ? 7 : 1));
        metadata.put("clip.has_vision_encoder", new GgufValue.Bool(true));
        metadata.put("clip.projector_type", GgufValue.text(shape.qwen() ? "qwen2.5vl_merger" : "mlp"));
        metadata.put(shape.qwen() ? "clip.use_silu" : "clip.has_llava_projector", new GgufValue.Bool(true));
        number(metadata, "image_size", shape.imageSize());
        number(metadata, "patch_size", PATCH);
        number(metadata, "embedding_length", shape.width());
        number(metadata, "feed_forward_length", shape.feedForward());
        number(metadata, "block_count", shape.layers());
        number(metadata, "attention.head_count", shape.heads());
        number(metadata, "projection_dim", shape.projection());
        if (shape.qwen()) {
            // Every eighth layer of Qwen2.5-VL sees the whole picture; llama.cpp needs one that does not.
            number(metadata, "n_wa_pattern", Math.max(2, Math.min(8, shape.layers())));
        }
        metadata.put("clip.vision.attention.layer_norm_epsilon", GgufValue.float32(1e-6f));
        for (String key : List.of("image_mean", "image_std")) {
            metadata.put(
                    "clip.vision." + key,
                    GgufValue.Array.of(
                            GgufValueType.FLOAT32,
                            List.of(GgufValue.float32(0.5f), GgufValue.float32(0.5f), GgufValue.float32(0.5f))));
        }
        return metadata;
    }

    private static void number(Map<String, GgufValue> metadata, String key, int value) {
        metadata.put("clip.vision." + key, GgufValue.uint32(value));
    }

    private List<GgufTensor> tensors() {
        int width = shape.width();
        List<GgufTensor> tensors = new ArrayList<>();
        tensors.add(patches("v.patch_embd.weight"));
        if (shape.qwen()) {
            tensors.add(patches("v.patch_embd.weight.1"));
            tensors.add(vector("v.post_ln.weight", width));
            linear(tensors, "mm.0", 4 * width, 4 * width);
            linear(tensors, "mm.2", 4 * width, shape.projection());
        } else {
            int side = shape.imageSize() / PATCH;
            tensors.add(vector("v.class_embd", width));
            tensors.add(new GgufTensor(
                    "v.position_embd.weight", GgmlType.F32, List.of((long) width, (long) side * side + 1)));
            norm(tensors, "v.pre_ln");
            linear(tensors, "mm.0", width, shape.projection());
            linear(tensors, "mm.2", shape.projection(), shape.projection());
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            String prefix = "v.blk." + layer + ".";
            norm(tensors, prefix + "ln1");
            norm(tensors, prefix + "ln2");
            for (String part : List.of("attn_q", "attn_k", "attn_v", "attn_out")) {
                linear(tensors, prefix + part, width, width);
            }
            if (shape.qwen()) {
                linear(tensors, prefix + "ffn_gate", width, shape.feedForward());
            }
            linear(tensors, prefix + "ffn_up", width, shape.feedForward());
            linear(tensors, prefix + "ffn_down", shape.feedForward(), width);
        }
        return tensors;
    }

    private GgufTensor patches(String name) {
        return new GgufTensor(name, GgmlType.F16, List.of((long) PATCH, (long) PATCH, 3L, (long) shape.width()));
    }

    /** Qwen's have no bias. */
    private void norm(List<GgufTensor> tensors, String name) {
        tensors.add(vector(name + ".weight", shape.width()));
        if (!shape.qwen()) {
            tensors.add(vector(name + ".bias", shape.width()));
        }
    }

    private static void linear(List<GgufTensor> tensors, String name, int from, int to) {
        tensors.add(new GgufTensor(name + ".weight", GgmlType.F16, List.of((long) from, (long) to)));
        tensors.add(vector(name + ".bias", to));
    }

    private static GgufTensor vector(String name, int size) {
        return new GgufTensor(name, GgmlType.F32, List.of((long) size));
    }
}
