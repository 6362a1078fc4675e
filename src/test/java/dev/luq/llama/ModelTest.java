package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.machine.KvType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoublePredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class ModelTest {

    @TempDir
    Path directory;

    @Test
    void tellsWhatTheFileHolds() {
        Model model = TinyModels.model(TinyModels.QWEN);
        assertEquals("qwen2vl", model.architecture());
        assertEquals("F16", model.quantization());
        assertEquals(2, model.layers());
        assertEquals(256, model.inputEmbeddingSize());
        assertEquals(384, model.vocabulary().size());
        assertTrue(model.parameters() > 0);
        assertTrue(model.bytes() >= 2 * model.parameters());
        assertEquals(model.metadata("qwen2vl.context_length"), Optional.of(String.valueOf(model.trainingContext())));
        assertEquals(Optional.empty(), model.metadata("no.such.key"));
    }

    @Test
    void loadingTellsHowFarItIs() {
        List<Double> progress = new ArrayList<>();
        try (Model model = Model.load(List.of(TinyModels.modelFile(TinyModels.LLAVA)), progress::add)) {
            assertEquals("llama", model.architecture());
        }
        assertEquals(1.0, progress.get(progress.size() - 1));
    }

    @Test
    void aSplitModelIsTheSameModel() throws IOException {
        Path whole = TinyModels.modelFile(TinyModels.QWEN);
        List<Path> parts = split(whole, 3);
        int[] tokens = {5, 6, 7, 8};
        List<float[]> logits = new ArrayList<>();
        for (List<Path> files : List.of(List.of(whole), parts)) {
            try (Model model = Model.load(files);
                    Context context = Context.create(model, new ContextOptions(64, 8, 1, 1, KvType.F32, false))) {
                assertEquals(TinyModels.model(TinyModels.QWEN).parameters(), model.parameters());
                logits.add(TinyModels.logits(context, tokens, 0));
            }
        }
        assertArrayEquals(logits.get(0), logits.get(1));

        assertThrows(LlamaException.ModelLoad.class, () -> Model.load(parts.subList(0, 2)));
        assertThrows(
                LlamaException.ModelLoad.class, () -> Model.load(List.of(parts.get(0), parts.get(2), parts.get(1))));
    }

    /** The same tensors in several files, the metadata in the first. */
    private List<Path> split(Path whole, int count) throws IOException {
        Gguf gguf = Gguf.read(whole);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(whole));
        List<Path> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Map<String, GgufValue> metadata = new LinkedHashMap<>(i == 0 ? gguf.metadata() : Map.of());
            metadata.put("split.no", new GgufValue.Int(GgufValueType.UINT16, i));
            metadata.put("split.count", new GgufValue.Int(GgufValueType.UINT16, count));
            metadata.put(
                    "split.tensors.count",
                    new GgufValue.Int(GgufValueType.INT32, gguf.tensors().size()));
            int perPart = (gguf.tensors().size() + count - 1) / count;
            List<GgufTensor> tensors =
                    gguf.tensors().subList(i * perPart, Math.min(gguf.tensors().size(), (i + 1) * perPart));
            Path part = directory.resolve("model-%05d-of-%05d.gguf".formatted(i + 1, count));
            try (GgufWriter writer = GgufWriter.create(part, metadata, tensors)) {
                for (GgufTensor tensor : tensors) {
                    writer.begin(tensor.name());
                    writer.write(bytes.slice((int) gguf.offset(tensor.name()), (int) tensor.bytes()));
                }
                writer.commit();
            }
            parts.add(part);
        }
        return parts;
    }

    @Test
    void progressEndsLoading() {
        List<Path> file = List.of(TinyModels.modelFile(TinyModels.LLAVA));
        DoublePredicate cancelled = share -> false;
        assertEquals(
                "loading was cancelled",
                assertThrows(LlamaException.ModelLoad.class, () -> Model.load(file, cancelled))
                        .getMessage());
        DoublePredicate failing = share -> {
            throw new IllegalStateException();
        };
        assertThrows(LlamaException.ModelLoad.class, () -> Model.load(file, failing));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 100, 5_000, 20_000, 1_000_000})
    void aFileThatIsCutOffIsRefused(int length) throws IOException {
        byte[] whole = Files.readAllBytes(TinyModels.modelFile(TinyModels.QWEN));
        assertRefused(Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(whole, length)));
    }

    @Test
    void whatIsNoModelIsRefused() throws IOException {
        assertRefused(Files.write(directory.resolve("text.gguf"), "this is no model at all".getBytes(UTF_8)));
        assertRefused(directory.resolve("absent.gguf"));
        assertRefused(TinyModels.mmprojFile(TinyModels.QWEN));
        assertThrows(IllegalArgumentException.class, () -> Model.load(List.of()));
    }

    private void assertRefused(Path file) {
        String message = assertThrows(LlamaException.ModelLoad.class, () -> Model.load(List.of(file)))
                .getMessage();
        assertFalse(message.contains("/"), message);
        assertFalse(message.contains("no reason"), message);
    }

    @Test
    void closingTwiceIsHarmlessAndUsersKeepTheWeights() {
        Model model = Model.load(List.of(TinyModels.modelFile(TinyModels.LLAVA)));
        Context context = Context.create(model, new ContextOptions(64, 8, 1, 1, KvType.F16, false));
        model.close();
        model.close();
        assertEquals(384, TinyModels.logits(context, new int[] {1, 2, 3}, 0).length);
        assertThrows(IllegalStateException.class, () -> ChatTemplates.of(model));
        context.close();
        context.close();
        assertThrows(IllegalStateException.class, model::parameters);
        assertThrows(IllegalStateException.class, () -> model.vocabulary().piece(1, true));
        assertThrows(IllegalStateException.class, () -> context.remove(0, 0, -1));
    }

    @Test
    void theLogReachesTheSink() {
        List<LogLine> lines = new ArrayList<>();
        try {
            Llama.init(lines::add);
            Model.load(List.of(TinyModels.modelFile(TinyModels.LLAVA))).close();
        } finally {
            Llama.init(line -> {});
        }
        assertTrue(
                lines.stream()
                        .anyMatch(line -> line.level() == LogLine.Level.INFO
                                && line.text().contains("general.architecture")),
                lines.toString());
        assertTrue(lines.stream().noneMatch(line -> line.text().contains("\n")));
        assertTrue(lines.stream().noneMatch(line -> line.level() == LogLine.Level.DEBUG));
    }

    @Test
    void aSinkThatThrowsIsHarmless() {
        try {
            Llama.init(line -> {
                throw new IllegalStateException(line.text());
            });
            Model.load(List.of(TinyModels.modelFile(TinyModels.LLAVA))).close();
        } finally {
            Llama.init(line -> {});
        }
    }

    @Test
    void theLibrariesSayWhatTheyAre() {
        assertEquals("0.5.0", Llama.version());
        assertEquals("v0.5.0", Llama.build().getProperty("llama.version"));
        assertTrue(Llama.systemInfo().contains("CPU"), Llama.systemInfo());
    }
}
