package dev.luq.requant;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.machine.KvType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** The tiny models of src/test/resources/reference as material for quantization. */
public final class TestModels {

    public static final String QWEN = "qwen2.5-vl-tiny";
    public static final String LLAVA = "llava-tiny";

    private static final Path DIRECTORY = Path.of("src/test/resources/reference");

    private TestModels() {}

    /** Loads the native libraries. */
    public static void init() {
        Llama.init(line -> {});
    }

    public static ModelFiles model(String name) {
        return read(DIRECTORY.resolve(name + "-F16.gguf"));
    }

    public static ModelFiles mmproj(String name) {
        return read(DIRECTORY.resolve("mmproj-" + name + "-F16.gguf"));
    }

    public static ModelFiles read(Path file) {
        try {
            return ModelFiles.read(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A model of random F16 weights that works as the tiny Qwen does, with larger layers.
     *
     * @param width of the embeddings, a multiple of 256; the feed-forward part is four times as wide
     */
    public static ModelFiles grown(int layers, int width, Path target) throws IOException {
        Gguf tiny = model(QWEN).first();
        long tinyWidth = tiny.integer("qwen2vl.embedding_length").orElseThrow();
        long scale = width / tinyWidth;
        Map<String, GgufValue> metadata = new LinkedHashMap<>(tiny.metadata());
        Map.of(
                        "block_count",
                        (long) layers,
                        "embedding_length",
                        (long) width,
                        "feed_forward_length",
                        4L * width,
                        "attention.head_count",
                        tiny.integer("qwen2vl.attention.head_count").orElseThrow() * scale,
                        "attention.head_count_kv",
                        tiny.integer("qwen2vl.attention.head_count_kv").orElseThrow() * scale)
                .forEach((key, value) -> metadata.put("qwen2vl." + key, GgufValue.uint32(value)));
        List<GgufTensor> tensors = new ArrayList<>();
        for (GgufTensor tensor : tiny.tensors()) {
            if (!tensor.name().startsWith("blk.")) {
                tensors.add(grown(tensor, tensor.name(), scale, width));
            } else if (tensor.name().startsWith("blk.0.")) {
                for (int layer = 0; layer < layers; layer++) {
                    tensors.add(grown(tensor, tensor.name().replace("blk.0.", "blk." + layer + "."), scale, width));
                }
            }
        }
        SplittableRandom random = new SplittableRandom(5);
        try (GgufWriter writer = GgufWriter.create(target, metadata, tensors)) {
            for (GgufTensor tensor : tensors) {
                ByteBuffer data = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining()) {
                    if (tensor.type() == GgmlType.F32) {
                        data.putFloat(1);
                    } else {
                        // Sign and mantissa at random, exponents of 2^-7 to 2^-6.
                        data.putShort((short) (random.nextInt() & 0x87ff | 0x2000));
                    }
                }
                writer.begin(tensor.name());
                writer.write(data.flip());
            }
            writer.commit();
        }
        return read(target);
    }

    private static GgufTensor grown(GgufTensor tensor, String name, long scale, int width) {
        boolean feedForward = name.contains("ffn_") && !name.contains("norm");
        List<Long> shape = new ArrayList<>(tensor.shape());
        for (int i = 0; i < shape.size(); i++) {
            boolean vocabulary = i == 1 && !name.startsWith("blk.");
            boolean inner = feedForward && (i == 0) == name.contains("ffn_down");
            shape.set(i, vocabulary ? shape.get(i) : inner ? 4L * width : shape.get(i) * scale);
        }
        return new GgufTensor(name, tensor.type(), shape);
    }

    /** Made-up importances for all matrices of the layers. */
    public static ImportanceMatrix importance(ModelFiles model) {
        SplittableRandom random = new SplittableRandom(7);
        Map<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
        model.parts().stream()
                .flatMap(part -> part.tensors().stream())
                .filter(tensor ->
                        tensor.name().startsWith("blk.") && tensor.shape().size() > 1)
                .forEach(tensor -> {
                    float[] sums = new float[(int) tensor.extent(0)];
                    for (int i = 0; i < sums.length; i++) {
                        sums[i] = (float) (random.nextDouble() * 100);
                    }
                    entries.put(tensor.name(), ImportanceMatrix.Entry.dense(sums, 123));
                });
        return new ImportanceMatrix(new TreeMap<>(entries), List.of("made up"), 1, 512);
    }

    /** A tensor's bytes. */
    public static ByteBuffer data(ModelFiles model, String name) throws IOException {
        for (int i = 0; i < model.parts().size(); i++) {
            Gguf part = model.parts().get(i);
            Optional<GgufTensor> tensor = part.tensor(name);
            if (tensor.isPresent()) {
                ByteBuffer data = ByteBuffer.allocate((int) tensor.get().bytes());
                try (FileChannel channel = FileChannel.open(model.paths().get(i), StandardOpenOption.READ)) {
                    channel.read(data, part.offset(name));
                }
                return data.flip();
            }
        }
        throw new IllegalArgumentException("no tensor " + name);
    }

    /**
     * A copy of an F16 model with other weights in a tensor.
     *
     * @param first index of the first weight that is changed
     * @param half the value that they get, as the bits of an F16
     */
    public static Path changed(ModelFiles model, String tensor, long first, long count, int half, Path target)
            throws IOException {
        Files.copy(model.paths().get(0), target);
        ByteBuffer values = ByteBuffer.allocate((int) (2 * count)).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            values.putShort((short) half);
        }
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
            channel.write(values.flip(), model.first().offset(tensor) + 2 * first);
        }
        return target;
    }

    /** A copy of a model with another chat template. */
    public static Path withTemplate(ModelFiles model, String template, Path target) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>(model.first().metadata());
        metadata.put("tokenizer.chat_template", GgufValue.text(template));
        try (GgufWriter writer =
                GgufWriter.create(target, metadata, model.first().tensors())) {
            for (GgufTensor tensor : model.first().tensors()) {
                writer.begin(tensor.name());
                writer.write(data(model, tensor.name()));
            }
            writer.commit();
        }
        return target;
    }

    /** Unnormalized log probabilities of the token after a text of all token ids from 0 to 31. */
    public static float[] logits(List<Path> files) {
        try (Model model = Model.load(files);
                Context context = Context.create(model, new ContextOptions(64, 32, 1, 1, KvType.F32, false));
                TokenBatch batch = TokenBatch.create(32)) {
            int last = 0;
            for (int i = 0; i < 32; i++) {
                last = batch.add(i, i, 0, i == 31);
            }
            context.decode(batch);
            float[] logits = new float[model.vocabulary().size()];
            context.logits(last).get(logits);
            return logits;
        }
    }
}
