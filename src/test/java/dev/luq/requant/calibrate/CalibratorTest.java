package dev.luq.requant.calibrate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.ModelQuantizer;
import dev.luq.requant.TestModels;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class CalibratorTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");
    private static final Path MODEL = REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf");
    private static final Optional<Path> MMPROJ = Optional.of(REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf"));
    private static final String IDENTITY = "qwen2.5-vl-tiny";
    private static final CalibrationListener SILENT = (done, of) -> {};

    @TempDir
    Path folder;

    @BeforeAll
    static void loadLibraries() {
        Llama.init(line -> {});
    }

    private static CalibrationOptions options(int examples, int vectors, Duration interval) {
        return options(examples, vectors, 0, interval);
    }

    private static CalibrationOptions options(int examples, int vectors, int imageTokens, Duration interval) {
        return new CalibrationOptions(
                examples,
                vectors,
                EnumSet.allOf(Activation.class),
                256,
                16,
                imageTokens,
                Optional.empty(),
                1,
                1,
                interval);
    }

    private static Example text(int line) {
        return new Example(
                "set.jsonl", line, List.of(), "What colour is the square?", "It is green.", Optional.empty());
    }

    private static Example picture(int line, String name) {
        return new Example(
                "set.jsonl", line, List.of(REFERENCE.resolve(name)), "What is this?", "A square.", Optional.empty());
    }

    private static Dataset mixed() {
        return new Dataset(List.of(
                text(1),
                picture(2, "square-140x140.png"),
                text(3),
                picture(4, "tall-84x196.png"),
                picture(5, "odd-150x100.png"),
                text(6)));
    }

    private Calibration run(String name, Dataset set, CalibrationOptions options, CalibrationListener progress)
            throws Exception {
        return Calibrator.run(List.of(MODEL), MMPROJ, IDENTITY, set, options, folder.resolve(name), progress);
    }

    /** Layer 0 reads the tokens' embeddings, normed: that much of the model is recomputed here from its file. */
    @Test
    void sumsAndVectorsAreThoseOfTheModelsArithmetic() throws Exception {
        Calibration found = run("pass", new Dataset(List.of(text(1))), options(0, 512, Duration.ZERO), SILENT);
        List<float[]> expected = normedEmbeddings(tokens());
        assertEquals(expected.size(), found.tokens(Modality.TEXT));
        assertEquals(expected.size(), found.samples(Modality.TEXT));
        double[] squares = new double[found.width()];
        FloatBuffer vectors = found.vectors(Activation.NORMED_INPUT, Modality.TEXT, 0);
        for (float[] row : expected) {
            float[] vector = new float[found.width()];
            vectors.get(vector);
            assertArrayEquals(row, vector, 1e-4f);
            for (int i = 0; i < row.length; i++) {
                squares[i] += (double) row[i] * row[i];
            }
        }
        ImportanceMatrix.Entry entry = found.importance(Modality.TEXT).entries().get("blk.0.attn_q.weight");
        assertArrayEquals(new long[] {expected.size()}, entry.counts());
        for (int i = 0; i < squares.length; i++) {
            assertEquals(squares[i], entry.sums()[i], 1e-4 * squares[i] + 1e-6);
        }
    }

    /** The prompt as Hugging Face tokenizes it, and the answer. */
    private static List<Integer> tokens() throws IOException {
        List<Integer> tokens = new ArrayList<>();
        new ObjectMapper()
                .readTree(REFERENCE.resolve("qwen2.5-vl-tiny.json").toFile())
                .at("/text/tokens")
                .forEach(token -> tokens.add(token.intValue()));
        try (Model model = Model.load(List.of(MODEL))) {
            for (int token : model.vocabulary().tokenize(text(1).answer(), false, false)) {
                tokens.add(token);
            }
        }
        return tokens;
    }

    private static List<float[]> normedEmbeddings(List<Integer> tokens) throws IOException {
        Gguf gguf = Gguf.read(MODEL);
        int width = (int) gguf.integer("qwen2vl.embedding_length").getAsLong();
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(MODEL)).order(ByteOrder.LITTLE_ENDIAN);
        int norm = (int) gguf.offset("blk.0.attn_norm.weight");
        int embeddings = (int) gguf.offset("token_embd.weight");
        List<float[]> rows = new ArrayList<>();
        for (int token : tokens) {
            double[] x = new double[width];
            double sum = 0;
            for (int i = 0; i < width; i++) {
                x[i] = halfToFloat(file.getShort(embeddings + 2 * (token * width + i)));
                sum += x[i] * x[i];
            }
            float[] row = new float[width];
            for (int i = 0; i < width; i++) {
                row[i] = (float) (x[i] / Math.sqrt(sum / width + 1e-6) * file.getFloat(norm + 4 * i));
            }
            rows.add(row);
        }
        return rows;
    }

    /** IEEE 754 binary16; JDK 17 has no such method. */
    private static double halfToFloat(short bits) {
        int exponent = bits >> 10 & 31;
        double fraction = (bits & 1023) / 1024.0;
        double magnitude = exponent == 0 ? fraction * 0x1p-14 : (1 + fraction) * Math.pow(2, exponent - 15);
        return bits < 0 ? -magnitude : magnitude;
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2.5-vl-tiny-F16.gguf", "llava-tiny-F16.gguf"})
    void everyMatrixIsCountedAndEveryLayerSampled(String name) throws Exception {
        Path file = REFERENCE.resolve(name);
        Calibration found = Calibrator.run(
                List.of(file),
                Optional.of(REFERENCE.resolve("mmproj-" + name)),
                name,
                mixed(),
                options(0, 40, Duration.ZERO),
                folder.resolve(name),
                SILENT);
        Gguf gguf = Gguf.read(file);
        List<String> matrices = gguf.tensors().stream()
                .filter(t -> t.extent(1) > 1 && t.name().startsWith("blk."))
                .map(t -> t.name())
                .toList();
        for (Modality modality : Modality.values()) {
            Map<String, ImportanceMatrix.Entry> entries =
                    found.importance(modality).entries();
            assertTrue(entries.keySet().containsAll(matrices), entries.keySet()::toString);
            entries.forEach((weight, entry) -> {
                assertEquals(gguf.tensor(weight).orElseThrow().extent(0), entry.sums().length);
                assertEquals(found.tokens(modality), entry.counts()[0]);
            });
            assertEquals(40, found.samples(modality));
            for (int layer = 0; layer < found.layers(); layer++) {
                for (Activation activation : Activation.values()) {
                    FloatBuffer vectors = found.vectors(activation, modality, layer);
                    assertEquals(40 * found.width(), vectors.remaining());
                    assertNotEquals(0f, vectors.get(0));
                }
            }
        }
        assertEquals(mixed().examples().stream().map(Example::id).toList(), found.examples());
    }

    @Test
    void alphaWeighsTheMeansOfBothModalities() throws Exception {
        Calibration found = run("pass", mixed(), options(0, 8, Duration.ZERO), SILENT);
        String name = "blk.1.ffn_down.weight";
        float[] images = found.importance(Modality.IMAGE).means(name).orElseThrow();
        float[] texts = found.importance(Modality.TEXT).means(name).orElseThrow();
        for (double alpha : new double[] {0, 0.25, 1}) {
            float[] means = found.importance(alpha).means(name).orElseThrow();
            for (int i = 0; i < means.length; i++) {
                assertEquals(alpha * images[i] + (1 - alpha) * texts[i], means[i], 1e-5 * means[i] + 1e-9);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> found.importance(1.5));
        assertThrows(IllegalArgumentException.class, () -> found.boundedImportance(-0.5));
        Calibration textOnly = run("text", new Dataset(List.of(text(1))), options(0, 8, Duration.ZERO), SILENT);
        assertTrue(textOnly.importance(Modality.IMAGE).entries().isEmpty());
        assertArrayEquals(
                textOnly.importance(Modality.TEXT).means(name).orElseThrow(),
                textOnly.importance(0.75).means(name).orElseThrow(),
                1e-6f);
        assertEquals(0, textOnly.vectors(Activation.OUTPUT, Modality.IMAGE, 0).remaining());
    }

    @Test
    void noTokenCountsMoreWhenBounded() throws Exception {
        Calibration found = run("pass", mixed(), options(0, 8, Duration.ZERO), SILENT);
        Map<String, ImportanceMatrix.Entry> plain = found.importance(0.25).entries();
        Map<String, ImportanceMatrix.Entry> bounded =
                found.boundedImportance(0.25).entries();
        assertEquals(plain.keySet(), bounded.keySet());
        for (String name : plain.keySet()) {
            float[] squares = plain.get(name).sums();
            float[] atMost = bounded.get(name).sums();
            for (int i = 0; i < squares.length; i++) {
                assertTrue(atMost[i] <= squares[i] && atMost[i] > squares[i] / 100, name);
            }
        }
    }

    @Test
    void theImportancesAreAFileThatIsReadBackTheSame() throws Exception {
        ImportanceMatrix matrix =
                run("pass", mixed(), options(0, 8, Duration.ZERO), SILENT).importance(0.75);
        matrix.write(folder.resolve("imatrix.gguf"));
        ImportanceMatrix read = ImportanceMatrix.read(folder.resolve("imatrix.gguf"));
        assertEquals(matrix.entries().keySet(), read.entries().keySet());
        matrix.entries()
                .forEach((name, entry) ->
                        assertArrayEquals(entry.sums(), read.entries().get(name).sums()));
        assertEquals(6, read.chunkCount());
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> list = Files.list(folder)) {
            for (Path file : list.toList()) {
                files.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static void assertSameFiles(Map<String, byte[]> expected, Path folder) throws IOException {
        Map<String, byte[]> actual = files(folder);
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
    }

    /** A crash loses what came after the last checkpoint but the vectors, which are ahead of it then. */
    @Test
    void aPassThatDiesAnywhereEndsWithTheSameBytes() throws Exception {
        run("whole", mixed(), options(0, 10, Duration.ZERO), SILENT);
        Map<String, byte[]> expected = files(folder.resolve("whole"));
        for (int death = 1; death <= 5; death++) {
            String name = "died-" + death;
            int end = death;
            Duration interval = death % 2 == 0 ? Duration.ZERO : Duration.ofDays(1);
            assertThrows(
                    IllegalStateException.class,
                    () -> run(name, mixed(), options(0, 10, interval), (done, of) -> {
                        if (done == end) {
                            throw new IllegalStateException("died");
                        }
                    }));
            Files.writeString(folder.resolve(name).resolve(".calibration.gguf.1.tmp"), "half a checkpoint");
            run(name, mixed(), options(0, 10, interval), SILENT);
            assertSameFiles(expected, folder.resolve(name));
        }
    }

    @Test
    void anInterruptedPassKeepsWhatIsDone() throws Exception {
        run("whole", mixed(), options(0, 10, Duration.ZERO), SILENT);
        assertThrows(
                InterruptedException.class,
                () -> run("pass", mixed(), options(0, 10, Duration.ofDays(1)), (done, of) -> {
                    if (done == 3) {
                        Thread.currentThread().interrupt();
                    }
                }));
        assertFalse(Thread.interrupted());
        assertThrows(CalibrationException.Damaged.class, () -> Calibration.read(folder.resolve("pass")));
        List<Integer> steps = new ArrayList<>();
        run("pass", mixed(), options(0, 10, Duration.ofDays(1)), (done, of) -> {
            assertEquals(6, of);
            steps.add(done);
        });
        assertEquals(List.of(4, 5, 6), steps);
        assertSameFiles(files(folder.resolve("whole")), folder.resolve("pass"));
        run("pass", mixed(), options(0, 10, Duration.ofDays(1)), (done, of) -> steps.clear());
        assertEquals(3, steps.size(), "a complete pass is not run again");
    }

    /** Interrupts come from other threads, at any moment: while a checkpoint is written, too. */
    @Test
    void interruptsAtAnyMomentLoseNothing() throws Exception {
        run("whole", mixed(), options(0, 10, Duration.ZERO), SILENT);
        int interrupts = 0;
        for (int millis = 1; ; millis += 3) {
            Thread target = Thread.currentThread();
            int delay = millis;
            Thread interrupter = new Thread(() -> {
                try {
                    Thread.sleep(delay);
                    target.interrupt();
                } catch (InterruptedException e) {
                    // the pass was faster
                }
            });
            interrupter.start();
            try {
                run("pass", mixed(), options(0, 10, Duration.ZERO), SILENT);
                break;
            } catch (InterruptedException e) {
                interrupts++;
            } finally {
                interrupter.interrupt();
                interrupter.join();
                Thread.interrupted();
            }
        }
        assertTrue(interrupts > 3, interrupts + " interrupts");
        assertSameFiles(files(folder.resolve("whole")), folder.resolve("pass"));
    }

    /** llama.cpp takes the importances, and they change what it makes of the model. */
    @Test
    void llamaCppQuantizesWithTheImportances() throws Exception {
        ImportanceMatrix matrix =
                run("pass", mixed(), options(0, 8, Duration.ZERO), SILENT).importance(0.75);
        Map<String, byte[]> quantized = new TreeMap<>();
        for (Optional<ImportanceMatrix> importance : List.of(Optional.of(matrix), Optional.<ImportanceMatrix>empty())) {
            Path file = folder.resolve("quantized-" + importance.isPresent() + ".gguf");
            ModelQuantizer.quantize(
                    MODEL,
                    file,
                    new ModelQuantizer.Options(ModelQuantizer.FileType.Q4_K_M, false, Map.of(), importance, 1));
            quantized.put(importance.isPresent() ? "with" : "without", Files.readAllBytes(file));
        }
        assertFalse(Arrays.equals(quantized.get("with"), quantized.get("without")));
    }

    @Test
    void anotherSetOrOtherOptionsStartAnew() throws Exception {
        run("pass", mixed(), options(0, 10, Duration.ZERO), SILENT);
        String first = Calibration.read(folder.resolve("pass")).samplesDigest();
        Calibration second = run("pass", new Dataset(List.of(text(1))), options(0, 10, Duration.ZERO), SILENT);
        assertEquals(List.of("set.jsonl:1"), second.examples());
        assertNotEquals(first, second.samplesDigest());
        Dataset picture = new Dataset(List.of(picture(1, "square-140x140.png")));
        assertEquals(
                25, run("pass", picture, options(0, 10, Duration.ZERO), SILENT).tokens(Modality.IMAGE));
        assertEquals(
                16,
                run("pass", picture, options(0, 10, 16, Duration.ZERO), SILENT).tokens(Modality.IMAGE));
    }

    @Test
    void aCopyOfTheModelGoesOnWhereTheModelWas() throws Exception {
        Dataset set = new Dataset(List.of(text(1)));
        run("pass", set, options(0, 10, Duration.ZERO), SILENT);
        Path copy = Files.copy(MODEL, folder.resolve("copy.gguf"));
        Files.setLastModifiedTime(copy, FileTime.fromMillis(0));
        CalibrationListener none = (done, of) -> fail("an example is calibrated with again");
        Path pass = folder.resolve("pass");
        Calibrator.run(List.of(copy), MMPROJ, IDENTITY, set, options(0, 10, Duration.ZERO), pass, none);
        List<Integer> done = new ArrayList<>();
        Calibrator.run(
                List.of(copy), MMPROJ, "another", set, options(0, 10, Duration.ZERO), pass, (d, of) -> done.add(d));
        assertEquals(List.of(1), done);
    }

    @Test
    void aDrawIsASampleInTheSetsOrder() {
        List<Example> examples = new ArrayList<>();
        for (int line = 1; line <= 100; line++) {
            examples.add(text(line));
        }
        Dataset set = new Dataset(examples);
        List<Example> drawn = Calibrator.draw(set, 10, 7);
        assertEquals(10, drawn.size());
        assertEquals(drawn, Calibrator.draw(set, 10, 7));
        assertNotEquals(drawn, Calibrator.draw(set, 10, 8));
        assertEquals(
                drawn,
                drawn.stream()
                        .sorted((a, b) -> Integer.compare(a.line(), b.line()))
                        .toList());
        assertEquals(examples, Calibrator.draw(set, 0, 7));
        assertEquals(examples, Calibrator.draw(set, 1000, 7));
    }

    @Test
    void whatIsTooLongIsSkippedAndNamed() throws Exception {
        Example tooLong = new Example("set.jsonl", 9, List.of(), "What? ".repeat(300), "Nothing.", Optional.empty());
        Calibration found = run("pass", new Dataset(List.of(text(1), tooLong)), options(0, 10, Duration.ZERO), SILENT);
        assertEquals(List.of("set.jsonl:9"), found.skipped());
        assertThrows(
                CalibrationException.UnusableSet.class,
                () -> run("none", new Dataset(List.of(tooLong)), options(0, 10, Duration.ZERO), SILENT));
    }

    @Test
    void weightsThatAreNotFiniteAreADamagedFile() throws Exception {
        Path model = TestModels.changed(
                TestModels.model(TestModels.QWEN), "blk.1.ffn_up.weight", 0, 1, 0x7e00, folder.resolve("damaged.gguf"));
        assertEquals(
                "The model computes numbers that are not finite, first at blk.1.ffn_up.weight in layer 1, with llama.cpp's"
                        + " kernels. The weights of blk.1.ffn_up.weight are not finite: the file is damaged. Fetch or convert it again.",
                refusal(model));
    }

    @Test
    void numbersThatBecomeTooLargeAreNoFaultOfTheFile() throws Exception {
        long count = 2
                * TestModels.model(TestModels.QWEN)
                        .first()
                        .tensor("blk.1.ffn_norm.weight")
                        .orElseThrow()
                        .elements();
        // Two halves of 65,504 are a float of 2.7e36: what is computed with it soon is beyond the largest float.
        Path model = TestModels.changed(
                TestModels.model(TestModels.QWEN),
                "blk.1.ffn_norm.weight",
                0,
                count,
                0x7bff,
                folder.resolve("large.gguf"));
        String refusal = refusal(model);
        assertTrue(
                refusal.matches(
                        "The model computes numbers that are not finite, first at blk\\.1\\.ffn_[a-z]+\\.weight in"
                                + " layer 1, with llama\\.cpp's kernels\\. The weights are finite: .*"),
                refusal);
        assertFalse(refusal.contains("damaged"), refusal);
    }

    private String refusal(Path model) {
        return assertThrows(
                        CalibrationException.UnusableModel.class,
                        () -> Calibrator.run(
                                List.of(model),
                                MMPROJ,
                                IDENTITY,
                                new Dataset(List.of(text(1))),
                                options(0, 10, Duration.ZERO),
                                folder.resolve("pass"),
                                SILENT))
                .getMessage();
    }

    @Test
    void damagedStateIsNamed() throws Exception {
        run("pass", new Dataset(List.of(text(1))), options(0, 10, Duration.ZERO), SILENT);
        Path vectors = folder.resolve("pass").resolve("output-text-0.f32");
        try (FileChannel channel = FileChannel.open(vectors, StandardOpenOption.WRITE)) {
            channel.truncate(100);
        }
        Calibration found = Calibration.read(folder.resolve("pass"));
        assertThrows(CalibrationException.Damaged.class, () -> found.vectors(Activation.OUTPUT, Modality.TEXT, 0));
        Files.delete(vectors);
        assertThrows(CalibrationException.Damaged.class, () -> found.vectors(Activation.OUTPUT, Modality.TEXT, 0));
        Files.write(folder.resolve("pass").resolve("calibration.gguf"), new byte[] {1, 2, 3});
        assertThrows(CalibrationException.Damaged.class, () -> Calibration.read(folder.resolve("pass")));
    }
}
