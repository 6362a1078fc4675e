package dev.luq.luq;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.KvType;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.ModelOptions;
import dev.luq.llama.TokenBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    private TestModels() {
    }

    /** Loads the native libraries. */
    public static void init() {
        Llama.init(line -> { });
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

    /** Made-up importances for all matrices of the layers. */
    public static ImportanceMatrix importance(ModelFiles model) {
        SplittableRandom random = new SplittableRandom(7);
        Map<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
        model.parts().stream().flatMap(part -> part.tensors().stream())
                .filter(tensor -> tensor.name().startsWith("blk.") && tensor.shape().size() > 1)
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

    /** Unnormalized log probabilities of the token after a text of all token ids from 0 to 31. */
    public static float[] logits(List<Path> files) {
        try (Model model = Model.load(files, ModelOptions.DEFAULT);
                Context context = Context.create(model, new ContextOptions(64, 32, 32, 1, 1, 1, KvType.F32, false));
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
