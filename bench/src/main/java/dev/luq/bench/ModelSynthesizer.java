package dev.luq.bench;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;

/**
 * Writes language models of the Qwen2 architecture with random weights, for measuring speed and memory. They have a
 * working tokenizer and a ChatML template. Their output layer can only produce tokens of printable text, so that each
 * generated token is visible at once and none ends the answer. The same shape and seed give the same file.
 */
final class ModelSynthesizer {

    private static final String CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}\n"
            + "{{ message.content }}<|im_end|>\n{% endfor %}"
            + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    private static final int CONTEXT = 4096;
    private static final int BUFFER_BYTES = 1 << 20;
    /** Standard deviation of the weights, as transformers initializes them. */
    private static final double WEIGHT_DEVIATION = 0.02;
    /** Random weights in half precision. */
    static final short[] HALF_NORMALS = halfNormals();
    /** 127 steps of this size reach 2.5 deviations. */
    private static final short Q8_SCALE = half(2.5 * WEIGHT_DEVIATION / 127);
    /** A weight is d * scale * q - dmin * min with scales of 0..63 and q of 0..15. */
    private static final short Q4_SCALE = half(2.5 * WEIGHT_DEVIATION / (63 * 7.5));

    private static final short Q4_MINIMUM = half(2.5 * WEIGHT_DEVIATION / 63);
    /** The same with q of 0..31. */
    private static final short Q5_SCALE = half(2.5 * WEIGHT_DEVIATION / (63 * 15.5));
    /** The same with scales of 0..15 and q of 0..3. */
    private static final short Q2_SCALE = half(2.5 * WEIGHT_DEVIATION / (15 * 1.5));

    private static final short Q2_MINIMUM = half(2.5 * WEIGHT_DEVIATION / 15);
    /** A weight is d * scale * q with scales of -32..31 and q of -4..3, whose deviations are 18.5 and 2.3. */
    private static final short Q3_SCALE = half(WEIGHT_DEVIATION / (18.5 * 2.3));
    /** The same with one of sixteen values, whose deviation is 72. */
    private static final short IQ4_SCALE = half(WEIGHT_DEVIATION / (18.5 * 72));
    /** A weight is d * scale * q with scales of -128..127 and q of -32..31, whose deviations are 74 and 18.5. */
    private static final short Q6_SCALE = half(WEIGHT_DEVIATION / (74 * 18.5));
    /** A weight is d * scale * t with odd scales of 1..15 and t of about -1..1, whose deviations are 9.2 and 0.8. */
    private static final short IQ1_SCALE = half(WEIGHT_DEVIATION / (9.2 * 0.8));
    /** A weight is d / 8 * scale * v with odd scales of 1..31 and v of 8 to 43, whose deviations are 18 and 25. */
    private static final short IQ2_SCALE = half(8 * WEIGHT_DEVIATION / (18 * 25));
    /** The same with d / 4 and v of 4 to 62, whose deviation is 32. */
    private static final short IQ3_XXS_SCALE = half(4 * WEIGHT_DEVIATION / (18 * 32));
    /** The same with d and v of 1 to 15, whose deviation is 8. */
    private static final short IQ3_S_SCALE = half(WEIGHT_DEVIATION / (18 * 8));

    /** Gives each matrix its type by the tensor's name. */
    interface Types {
        GgmlType of(String tensor);
    }

    /**
     * A model's size.
     *
     * @param width of the embeddings, a multiple of 256
     * @param feedForward width of the feed-forward part, a multiple of 256
     * @param heads of attention; divides the width
     * @param keyValueHeads divides the heads
     * @param vocabulary tokens, from 259 to 950741
     * @param types F16, Q8_0 or one of Q2_K to Q6_K, IQ1_M, IQ2, IQ3 and IQ4_XS for each matrix
     */
    record Shape(int layers, int width, int feedForward, int heads, int keyValueHeads, int vocabulary, Types types) {

        /** With proportions as in the Qwen2.5 family, and one type. */
        Shape(int layers, int width, int vocabulary, GgmlType type) {
            this(layers, width, 4 * width, width / 64, width / 256, vocabulary, tensor -> type);
        }

        /** Qwen2.5-VL-7B's language model: layers of 233 million weights. */
        static Shape qwen7B(GgmlType type) {
            return new Shape(28, 3584, 18944, 28, 4, 152_064, tensor -> type);
        }

        /** Qwen2.5-VL-3B's language model. */
        static Shape qwen3B(GgmlType type) {
            return new Shape(36, 2048, 11008, 16, 2, 151_936, tensor -> type);
        }

        /** LLaVA-1.5-7B's language model: layers of 202 million weights. */
        static Shape llava7B(GgmlType type) {
            return new Shape(32, 4096, 11008, 32, 32, 32_064, tensor -> type);
        }

        /** 12 layers of 768: 152 million weights. */
        static Shape benchmark(GgmlType type) {
            return new Shape(12, 768, 32_000, type);
        }

        /** Two million weights: what a process takes beside it is its own. */
        static Shape tiny() {
            return new Shape(2, 256, 1024, GgmlType.Q8_0);
        }

        /** The same with another number of layers. */
        Shape withLayers(int count) {
            return new Shape(count, width, feedForward, heads, keyValueHeads, vocabulary, types);
        }

        /** The same with other types. */
        Shape withTypes(Types others) {
            return new Shape(layers, width, feedForward, heads, keyValueHeads, vocabulary, others);
        }

        /** Rows of the matrices for keys and for values. */
        int keyValueWidth() {
            return width / heads * keyValueHeads;
        }
    }

    private final Shape shape;
    private final String architecture;
    private final BenchmarkVocabulary vocabulary;
    private final SplittableRandom random;

    ModelSynthesizer(Shape shape, long seed) {
        this(shape, seed, "qwen2");
    }

    /** @param architecture qwen2, or qwen2vl, whose tokens have the positions that Qwen's projectors need */
    ModelSynthesizer(Shape shape, long seed, String architecture) {
        this.shape = shape;
        this.architecture = architecture;
        this.vocabulary = new BenchmarkVocabulary(shape.vocabulary());
        this.random = new SplittableRandom(seed);
    }

    /** Writes the model; the target appears when it is complete. */
    void write(Path target) throws IOException {
        List<GgufTensor> tensors = tensors();
        try (GgufWriter writer = GgufWriter.create(target, metadata(), tensors)) {
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                IntPredicate silent =
                        tensor.name().equals("output.weight") ? row -> !vocabulary.isPrintable(row) : row -> false;
                fill(tensor, silent, writer);
            }
            writer.commit();
        }
    }

    private Map<String, GgufValue> metadata() {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text(architecture));
        metadata.put("general.name", GgufValue.text("Random weights"));
        metadata.put(
                "general.file_type",
                GgufValue.uint32(
                        switch (shape.types().of("blk.0.attn_q.weight")) {
                            case F16 -> 1;
                            case Q8_0 -> 7;
                            case Q6_K -> 18;
                            case IQ1_M -> 31;
                            default -> 15;
                        }));
        number(metadata, "context_length", CONTEXT);
        number(metadata, "embedding_length", shape.width());
        number(metadata, "block_count", shape.layers());
        number(metadata, "feed_forward_length", shape.feedForward());
        number(metadata, "attention.head_count", shape.heads());
        number(metadata, "attention.head_count_kv", shape.keyValueHeads());
        metadata.put(architecture + ".attention.layer_norm_rms_epsilon", GgufValue.float32(1e-6f));
        metadata.put(architecture + ".rope.freq_base", GgufValue.float32(1e6f));
        if (architecture.equals("qwen2vl")) {
            // Time, height and width take a quarter and three eighths each of a head's pairs.
            int pairs = shape.width() / shape.heads() / 2;
            metadata.put(
                    architecture + ".rope.dimension_sections",
                    GgufValue.Array.of(
                            GgufValueType.INT32,
                            List.of(pairs / 4, pairs * 3 / 8, pairs * 3 / 8, 0).stream()
                                    .map(count -> (GgufValue) new GgufValue.Int(GgufValueType.INT32, count))
                                    .toList()));
        }
        vocabulary.describe(metadata);
        metadata.put("tokenizer.chat_template", GgufValue.text(CHATML));
        return metadata;
    }

    private void number(Map<String, GgufValue> metadata, String key, int value) {
        metadata.put(architecture + "." + key, new GgufValue.Int(GgufValueType.UINT32, value));
    }

    /** The table of the file, in the order of the layer store's files: memory is that of a re-quantized model. */
    List<GgufTensor> tensors() {
        List<GgufTensor> tensors = new ArrayList<>();
        tensors.add(matrix("token_embd.weight", shape.width(), shape.vocabulary()));
        for (int layer = 0; layer < shape.layers(); layer++) {
            String prefix = "blk." + layer + ".";
            tensors.add(vector(prefix + "attn_norm.weight", shape.width()));
            tensors.add(matrix(prefix + "attn_q.weight", shape.width(), shape.width()));
            tensors.add(vector(prefix + "attn_q.bias", shape.width()));
            tensors.add(matrix(prefix + "attn_k.weight", shape.width(), shape.keyValueWidth()));
            tensors.add(vector(prefix + "attn_k.bias", shape.keyValueWidth()));
            tensors.add(matrix(prefix + "attn_v.weight", shape.width(), shape.keyValueWidth()));
            tensors.add(vector(prefix + "attn_v.bias", shape.keyValueWidth()));
            tensors.add(matrix(prefix + "attn_output.weight", shape.width(), shape.width()));
            tensors.add(vector(prefix + "ffn_norm.weight", shape.width()));
            tensors.add(matrix(prefix + "ffn_gate.weight", shape.width(), shape.feedForward()));
            tensors.add(matrix(prefix + "ffn_up.weight", shape.width(), shape.feedForward()));
            tensors.add(matrix(prefix + "ffn_down.weight", shape.feedForward(), shape.width()));
        }
        tensors.add(vector("output_norm.weight", shape.width()));
        tensors.add(matrix("output.weight", shape.width(), shape.vocabulary()));
        tensors.sort(TensorTypes.MAPPED_FIRST);
        return tensors;
    }

    private GgufTensor matrix(String name, long columns, long rows) {
        return new GgufTensor(name, shape.types().of(name), List.of(columns, rows));
    }

    private static GgufTensor vector(String name, long size) {
        return new GgufTensor(name, GgmlType.F32, List.of(size));
    }

    /** @param silent rows that are all zero */
    private void fill(GgufTensor tensor, IntPredicate silent, GgufWriter writer) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int rowBlocks = Math.toIntExact(tensor.extent(0) / tensor.type().blockSize());
        boolean norm = tensor.name().endsWith("norm.weight");
        for (int row = 0; row < tensor.elements() / tensor.extent(0); row++) {
            boolean zero = silent.test(row);
            for (int block = 0; block < rowBlocks; block++) {
                if (buffer.remaining() < tensor.type().blockBytes()) {
                    writer.write(buffer.flip());
                    buffer.clear();
                }
                if (zero) {
                    buffer.put(new byte[tensor.type().blockBytes()]);
                } else if (norm) {
                    buffer.putFloat(1);
                } else {
                    block(tensor.type(), buffer);
                }
            }
        }
        writer.write(buffer.flip());
    }

    /** Appends one block of random weights. */
    private void block(GgmlType type, ByteBuffer out) {
        switch (type) {
            case F32 -> out.putFloat((float) (random.nextDouble(-1, 1) * WEIGHT_DEVIATION));
            case F16 -> out.putShort(HALF_NORMALS[random.nextInt(HALF_NORMALS.length)]);
            case Q8_0 -> {
                out.putShort(Q8_SCALE);
                randomBytes(out, 32);
            }
            case Q2_K -> {
                randomBytes(out, 80);
                out.putShort(Q2_SCALE);
                out.putShort(Q2_MINIMUM);
            }
            case Q3_K -> {
                randomBytes(out, 108);
                out.putShort(Q3_SCALE);
            }
            case Q4_K, Q5_K -> {
                out.putShort(type == GgmlType.Q4_K ? Q4_SCALE : Q5_SCALE);
                out.putShort(Q4_MINIMUM);
                randomBytes(out, type.blockBytes() - 2 * Short.BYTES);
            }
            case Q6_K -> {
                randomBytes(out, 208);
                out.putShort(Q6_SCALE);
            }
            case IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S -> {
                out.putShort(
                        type == GgmlType.IQ3_XXS ? IQ3_XXS_SCALE : type == GgmlType.IQ3_S ? IQ3_S_SCALE : IQ2_SCALE);
                randomBytes(out, type.blockBytes() - Short.BYTES);
            }
            case IQ4_XS -> {
                out.putShort(IQ4_SCALE);
                out.putShort((short) random.nextInt());
                randomBytes(out, 132);
            }
            case IQ1_M -> {
                randomBytes(out, 48);
                // The scales' words have four bits of the superblock's scale at their top.
                for (int i = 0; i < 4; i++) {
                    out.putShort((short) (random.nextInt() & 0xfff | IQ1_SCALE >> 4 * i << 12));
                }
            }
            default -> throw new IllegalArgumentException("no random weights of type " + type);
        }
    }

    private void randomBytes(ByteBuffer out, int count) {
        for (int i = 0; i < count; i += 4) {
            out.putInt(random.nextInt());
        }
    }

    private static short[] halfNormals() {
        Random normal = new Random(1);
        short[] values = new short[1 << 14];
        for (int i = 0; i < values.length; i++) {
            values[i] = half(normal.nextGaussian() * WEIGHT_DEVIATION);
        }
        return values;
    }

    /** Rounds to the nearest IEEE half; magnitudes from 65504 on are outside its use here, subnormals are kept. */
    static short half(double value) {
        int sign = value < 0 ? 0x8000 : 0;
        double magnitude = Math.abs(value);
        int exponent = Math.max(Math.getExponent(magnitude), -14);
        long steps = Math.round(Math.scalb(magnitude, 10 - exponent));
        // Adding carries a rounded-up mantissa into the exponent; below 1024 steps the number is subnormal.
        return (short) (sign | (int) (steps + ((long) (exponent + 14) << 10)));
    }
}
