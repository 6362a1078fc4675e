package dev.luq.bench;

import dev.luq.bench.ModelSynthesizer.Shape;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One layer of a decoder with random F16 weights, as material for measuring. Rows can be cut in number: cost depends on
 * weights and row length. No model that runs.
 */
final class RandomLayer {

    private static final String ARCHITECTURE = "qwen2";
    private static final int BUFFER_BYTES = 1 << 20;

    private RandomLayer() {}

    /** @param rowsDivisor every matrix has one in so many of its rows */
    static ModelFiles write(Shape shape, int rowsDivisor, Path target) throws IOException {
        List<GgufTensor> tensors = tensors(shape, rowsDivisor);
        SplittableRandom random = new SplittableRandom(1);
        try (GgufWriter writer = GgufWriter.create(target, metadata(shape), tensors)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                for (long left = tensor.elements(); left > 0; ) {
                    buffer.clear();
                    for (; left > 0 && buffer.hasRemaining(); left--) {
                        buffer.putShort(
                                ModelSynthesizer.HALF_NORMALS[random.nextInt(ModelSynthesizer.HALF_NORMALS.length)]);
                    }
                    writer.write(buffer.flip());
                }
            }
            writer.commit();
        }
        return ModelFiles.of(List.of(target));
    }

    /**
     * Importances as uneven as those of real activations, whose squares are roughly log-normal.
     *
     * @param model of which the layers' matrices get some
     */
    static ImportanceMatrix importance(ModelFiles model) {
        SplittableRandom random = new SplittableRandom(2);
        TreeMap<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
        for (GgufTensor tensor : model.first().tensors()) {
            if (!tensor.name().startsWith("blk.") || tensor.shape().size() < 2) {
                continue;
            }
            float[] sums = new float[(int) tensor.extent(0)];
            for (int i = 0; i < sums.length; i++) {
                sums[i] = (float) Math.exp(random.nextGaussian());
            }
            entries.put(tensor.name(), ImportanceMatrix.Entry.dense(sums, 1));
        }
        return new ImportanceMatrix(entries, List.of("random"), 1, 1);
    }

    private static Map<String, GgufValue> metadata(Shape shape) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text(ARCHITECTURE));
        metadata.put("general.file_type", GgufValue.uint32(1));
        number(metadata, "context_length", 4096);
        number(metadata, "embedding_length", shape.width());
        number(metadata, "block_count", 1);
        number(metadata, "feed_forward_length", shape.feedForward());
        number(metadata, "attention.head_count", shape.heads());
        number(metadata, "attention.head_count_kv", shape.keyValueHeads());
        metadata.put(ARCHITECTURE + ".attention.layer_norm_rms_epsilon", GgufValue.float32(1e-6f));
        return metadata;
    }

    private static void number(Map<String, GgufValue> metadata, String key, int value) {
        metadata.put(ARCHITECTURE + "." + key, new GgufValue.Int(GgufValueType.UINT32, value));
    }

    static List<GgufTensor> tensors(Shape shape, int rowsDivisor) {
        return List.of(
                matrix("attn_q", shape.width(), shape.width() / rowsDivisor),
                matrix("attn_k", shape.width(), shape.keyValueWidth() / rowsDivisor),
                matrix("attn_v", shape.width(), shape.keyValueWidth() / rowsDivisor),
                matrix("attn_output", shape.width(), shape.width() / rowsDivisor),
                matrix("ffn_gate", shape.width(), shape.feedForward() / rowsDivisor),
                matrix("ffn_up", shape.width(), shape.feedForward() / rowsDivisor),
                matrix("ffn_down", shape.feedForward(), shape.width() / rowsDivisor));
    }

    private static GgufTensor matrix(String name, long columns, long rows) {
        return new GgufTensor("blk.0." + name + ".weight", GgmlType.F16, List.of(columns, rows));
    }
}
