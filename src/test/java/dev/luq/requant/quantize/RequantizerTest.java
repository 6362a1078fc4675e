package dev.luq.requant.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ModelQuantizer;
import dev.luq.llama.ModelQuantizer.FileType;
import dev.luq.llama.Quantizer;
import dev.luq.memory.ServingShape;
import dev.luq.requant.TestModels;
import dev.luq.requant.plan.Mix;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class RequantizerTest {

    @TempDir
    Path directory;

    @BeforeAll
    static void init() {
        TestModels.init();
    }

    @ParameterizedTest
    @ValueSource(strings = {TestModels.QWEN, TestModels.LLAVA})
    void q4KMIsWhatLlamaQuantizeMakes(String name) throws IOException {
        ModelFiles base = TestModels.model(name);
        Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(base));

        assertSameTensors(
                llamaQuantize(base, FileType.Q4_K_M, Map.of(), importance),
                assemble(base, importance, uniform(base, Precision.Q4_K_M)));
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"Q4_K_M", "F16"},
            mode = EnumSource.Mode.EXCLUDE)
    void aLayerOfAnyPrecisionIsOfTheTypesThatLlamaQuantizeGives(Precision precision) throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(base));
        GgmlType type = GgmlType.valueOf(precision.name());
        // llama.cpp counts layers by the tensors that no override names: the last one, so that it counts right.
        Plan plan = new Plan(List.of(Precision.Q4_K_M, precision), Precision.Q4_K_M, Precision.F16);

        assertSameTensors(
                llamaQuantize(base, FileType.Q4_K_M, Map.of("blk\\.1\\.", type), importance),
                assemble(base, importance, plan));
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"})
    void aTrainedModelLosesLessThanWithLlamaQuantize(Precision precision) throws IOException {
        ModelFiles base = TestModels.read(Path.of("models/demo/luq-demo-F16.gguf"));
        ImportanceMatrix importance = TestModels.importance(base);
        GgmlType type = GgmlType.valueOf(precision.name());
        ModelFiles theirs = llamaQuantize(base, FileType.Q4_K_M, Map.of("blk\\.", type), Optional.of(importance));
        ModelFiles ours = assemble(base, Optional.of(importance), uniform(base, precision));
        double ourErrors = 0;
        double theirErrors = 0;
        for (GgufTensor tensor : base.first().tensors()) {
            if (ours.tensor(tensor.name()).orElseThrow().type() == type) {
                float[] means = importance.means(tensor.name()).orElseThrow();
                ourErrors += error(base, ours, tensor.name(), means);
                theirErrors += error(base, theirs, tensor.name(), means);
            }
        }
        assertTrue(ourErrors > 0 && ourErrors < 0.98 * theirErrors, ourErrors + " and " + theirErrors);
    }

    @Test
    void blocksOfAnotherSearchAreOtherEntries() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(base));
        try (Requantizer requantizer = requantizer(base, Optional.empty(), importance)) {
            SplitFiles splits =
                    new SplitFiles(base, requantizer.fingerprint(QuantizeListener.NONE), importance, type -> 0);
            SplitFiles others = new SplitFiles(
                    base,
                    requantizer.fingerprint(QuantizeListener.NONE),
                    importance,
                    type -> type == GgmlType.IQ2_S ? 7 : 0);
            for (Precision precision : List.of(Precision.IQ2_S, Precision.Q4_K)) {
                Plan plan = uniform(base, precision);
                boolean same = splits.of(plan)
                        .get(1)
                        .key()
                        .equals(others.of(plan).get(1).key());
                assertEquals(precision != Precision.IQ2_S, same, precision.toString());
            }
        }
    }

    /** 17 layers have an eighth, a sixteenth, and every third between. */
    @ParameterizedTest
    @EnumSource(Mix.class)
    void aMixHasTheTypesThatLlamaQuantizeGives(Mix mix) throws IOException {
        ModelFiles large = TestModels.grown(17, 256, directory.resolve("large.gguf"));
        ModelFiles few = Conversions.flat(large, 2, directory.resolve("few.gguf"));
        ModelFiles many = Conversions.flat(large, 4, directory.resolve("many.gguf"));
        ModelFiles tied = Conversions.without(few, "output.weight", directory.resolve("tied.gguf"));
        ModelFiles narrow = Conversions.narrow(TestModels.model(TestModels.LLAVA), directory.resolve("narrow.gguf"));
        for (ModelFiles base : List.of(few, many, tied, narrow)) {
            Planner planner = new Planner(base, Optional.empty(), new ServingShape(512, 128, 1, 1));
            SortedMap<String, GgmlType> types =
                    planner.mix(mix, Precision.F16).plan().matrices();
            ModelFiles made = llamaQuantize(
                    base, FileType.valueOf(mix.name()), Map.of(), Optional.of(TestModels.importance(base)));
            SortedMap<String, GgmlType> expected = new TreeMap<>();
            types.keySet()
                    .forEach(name ->
                            expected.put(name, made.tensor(name).orElseThrow().type()));
            assertEquals(expected, types, base.paths().toString());
            assertEquals(made.tensorBytes(), planner.mix(mix, Precision.F16).weightBytes());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = GgmlType.class,
            names = {"F32", "BF16", "Q8_0"})
    void basesOfOtherTypesToo(GgmlType type) throws IOException {
        ModelFiles base = Conversions.convert(TestModels.model(TestModels.QWEN), type, directory.resolve("base.gguf"));
        Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(base));

        assertSameTensors(
                llamaQuantize(base, FileType.Q4_K_M, Map.of(), importance),
                assemble(base, importance, uniform(base, Precision.Q4_K_M)));
    }

    @Test
    void rowsThatAreNoWholeBlocksFallBackAsInLlamaQuantize() throws IOException {
        ModelFiles base = Conversions.narrow(TestModels.model(TestModels.LLAVA), directory.resolve("base.gguf"));
        Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(base));

        for (Precision precision : List.of(Precision.Q4_K_M, Precision.IQ3_S, Precision.Q8_0)) {
            Map<String, GgmlType> overrides =
                    precision == Precision.Q4_K_M ? Map.of() : Map.of("blk\\.", GgmlType.valueOf(precision.name()));
            Plan plan = Plan.uniform(layers(base), precision, Precision.Q4_K_M, Precision.F16);
            assertSameTensors(
                    llamaQuantize(base, FileType.Q4_K_M, overrides, importance), assemble(base, importance, plan));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"IQ3_XXS", "Q6_K", "Q8_0"})
    void whatIsOutsideTheLayersIsWhatTheFileTypeHas(Precision precision) throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        ModelFiles tied = Conversions.without(base, "output.weight", directory.resolve("tied.gguf"));
        for (ModelFiles model : List.of(base, tied)) {
            Optional<ImportanceMatrix> importance = Optional.of(TestModels.importance(model));
            ModelFiles expected = llamaQuantize(model, FileType.valueOf(precision.name()), Map.of(), importance);
            ModelFiles actual =
                    assemble(model, importance, Plan.uniform(layers(model), Precision.Q8_0, precision, Precision.F16));
            for (GgufTensor tensor : LayeredModel.of(expected).outside()) {
                assertEquals(Optional.of(tensor), actual.tensor(tensor.name()));
                if (Quantizer.searchVersion(tensor.type()) == 0) {
                    assertEquals(TestModels.data(expected, tensor.name()), TestModels.data(actual, tensor.name()));
                }
            }
            assertEquals(
                    expected.first().metadata().get("general.file_type"),
                    actual.first().metadata().get("general.file_type"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TestModels.QWEN, TestModels.LLAVA})
    void aProjectorOfQ8IsWhatLlamaQuantizeMakes(String name) throws IOException {
        ModelFiles base = TestModels.model(name);
        ModelFiles mmproj = TestModels.mmproj(name);
        Plan plan = Plan.uniform(layers(base), Precision.F16, Precision.F16, Precision.Q8_0);

        AssembledModel model;
        try (Requantizer requantizer = requantizer(base, Optional.of(mmproj), Optional.empty())) {
            model = requantizer.assemble(plan, QuantizeListener.NONE);
        }

        assertSameTensors(
                llamaQuantize(mmproj, FileType.Q8_0, Map.of(), Optional.empty()),
                TestModels.read(model.mmproj().orElseThrow()));
    }

    @Test
    void aProjectorThatStaysIsTheBaseModelsOwn() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        ModelFiles mmproj = TestModels.mmproj(TestModels.QWEN);
        try (Requantizer requantizer = requantizer(base, Optional.of(mmproj), Optional.empty())) {
            AssembledModel model = requantizer.assemble(uniform(base, Precision.F16), QuantizeListener.NONE);
            assertEquals(Optional.of(mmproj.paths().get(0)), model.mmproj());
            assertEquals(Optional.empty(), model.mmprojEntry());
        }
    }

    @Test
    void splitsAndExportGiveTheSameLogitsBitForBit() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        Plan plan = new Plan(List.of(Precision.IQ3_S, Precision.Q4_K_M), Precision.Q4_K_M, Precision.F16);
        LayerStore store = LayerStore.open(directory.resolve("store"));
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.of(TestModels.importance(base)))) {
            AssembledModel model = requantizer.assemble(plan, QuantizeListener.NONE);
            Manifest manifest = new Manifest(
                    Manifest.VERSION,
                    "m",
                    "tiny",
                    requantizer.fingerprint(QuantizeListener.NONE).id(),
                    Instant.EPOCH,
                    plan,
                    Optional.empty(),
                    model.entries(),
                    model.mmprojEntry(),
                    Map.of(),
                    Map.of());
            store.publish(manifest);
            Path exported = directory.resolve("exported.gguf");
            store.export(manifest, exported);

            assertArrayEquals(TestModels.logits(model.splits()), TestModels.logits(List.of(exported)));
            assertSameTensors(TestModels.read(exported), ModelFiles.of(model.splits()));
            assertFalse(TestModels.read(exported).first().metadata().containsKey("split.count"));
        }
    }

    @Test
    void matricesWithTypesOfTheirOwnAreFilesOfTheirOwn() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        SortedMap<String, GgmlType> types = new TreeMap<>();
        LayeredModel layered = LayeredModel.of(base);
        base.first().tensors().forEach(tensor -> {
            List<GgmlType> choices = TensorTypes.choices(tensor, layered.tied());
            if (!choices.isEmpty()) {
                types.put(tensor.name(), choices.get(types.size() % choices.size()));
            }
        });
        types.put("output.weight", GgmlType.Q6_K); // nothing is said about its importances
        Planner planner = new Planner(base, Optional.empty(), new ServingShape(512, 128, 1, 1));
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.of(TestModels.importance(base)))) {
            AssembledModel first = requantizer.assemble(planner.byMatrix(types, Precision.F16), QuantizeListener.NONE);
            ModelFiles made = ModelFiles.of(first.splits());
            assertEquals(types.size() + 1, first.splits().size());
            types.forEach((name, type) ->
                    assertEquals(type, made.tensor(name).orElseThrow().type(), name));
            assertEquals(
                    planner.candidate(planner.byMatrix(types, Precision.F16)).weightBytes(), made.tensorBytes());
            assertEquals(base.parameters(), made.parameters());
            for (float logit : TestModels.logits(first.splits())) {
                assertTrue(Float.isFinite(logit));
            }

            SortedMap<String, GgmlType> swapped = new TreeMap<>(types);
            swapped.put("blk.1.ffn_down.weight", GgmlType.Q8_0);
            Plan other = planner.byMatrix(swapped, Precision.F16);
            long weights = base.tensor("blk.1.ffn_down.weight").orElseThrow().elements();
            assertTrue(requantizer.assemble(other, QuantizeListener.NONE).quantizedWeights()
                    <= weights + made.first().parameters());

            swapped.put("blk.9.ffn_down.weight", GgmlType.Q8_0);
            Plan foreign = new Plan(other.layers(), other.outside(), other.mmproj(), swapped);
            assertThrows(QuantizeException.WrongPlan.class, () -> requantizer.assemble(foreign, QuantizeListener.NONE));
        }
    }

    @Test
    void aSecondPlanQuantizesOnlyWhatIsNew() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.of(TestModels.importance(base)))) {
            AssembledModel first = requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE);
            AssembledModel again = requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE);
            AssembledModel other = requantizer.assemble(
                    new Plan(List.of(Precision.Q4_K, Precision.Q6_K), Precision.Q4_K_M, Precision.F16),
                    QuantizeListener.NONE);

            assertTrue(first.quantizedWeights() > 0);
            assertEquals(0, again.quantizedWeights());
            assertEquals(first.entries(), again.entries());
            assertEquals(first.splits().subList(0, 2), other.splits().subList(0, 2));
            assertNotEquals(first.splits().get(2), other.splits().get(2));
            assertEquals(
                    TestModels.read(base.paths().get(0)).parts().get(0).tensors().stream()
                            .filter(tensor -> tensor.name().startsWith("blk.1."))
                            .mapToLong(GgufTensor::elements)
                            .sum(),
                    other.quantizedWeights());
        }
    }

    @Test
    void otherImportancesAreAnotherModel() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        AssembledModel with;
        AssembledModel without;
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.of(TestModels.importance(base)))) {
            with = requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE);
        }
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.empty())) {
            without = requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE);
        }
        assertEquals(with.splits().get(0), without.splits().get(0), "nothing was said about the embeddings");
        assertNotEquals(with.splits().get(1), without.splits().get(1));
    }

    @Test
    void lowTypesAskForImportances() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        for (Precision precision : List.of(Precision.IQ1_M, Precision.IQ2_XXS, Precision.IQ2_S, Precision.IQ3_XXS)) {
            QuantizeException e = assertThrows(
                    QuantizeException.MissingImportance.class,
                    () -> assemble(base, Optional.empty(), uniform(base, precision)));
            assertTrue(e.getMessage().contains("blk.0") && e.getMessage().contains("calibrate"), e.getMessage());
        }
        ImportanceMatrix foreign = TestModels.importance(TestModels.model(TestModels.QWEN));
        Map<String, ImportanceMatrix.Entry> entries = new LinkedHashMap<>(foreign.entries());
        entries.replaceAll((tensor, entry) -> ImportanceMatrix.Entry.dense(new float[512], 1));
        assertThrows(
                QuantizeException.MissingImportance.class,
                () -> assemble(
                        base,
                        Optional.of(new ImportanceMatrix(new TreeMap<>(entries), List.of(), 0, 0)),
                        uniform(base, Precision.IQ3_S)));
    }

    @Test
    void whatIsQuantizedOrDamagedIsNoBase() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        ModelFiles quantized = llamaQuantize(base, FileType.Q4_K_M, Map.of(), Optional.empty());
        assertThrows(
                QuantizeException.UnsuitableSource.class,
                () -> assemble(quantized, Optional.empty(), uniform(base, Precision.Q6_K)));

        ModelFiles damaged = Conversions.withNan(base, "blk.1.ffn_up.weight", directory.resolve("damaged.gguf"));
        QuantizeException e = assertThrows(
                QuantizeException.UnsuitableSource.class,
                () -> assemble(damaged, Optional.empty(), uniform(base, Precision.Q4_K)));
        assertTrue(e.getMessage().contains("blk.1.ffn_up.weight"), e.getMessage());

        assertThrows(
                QuantizeException.WrongPlan.class,
                () -> assemble(base, Optional.empty(), Plan.uniform(3, Precision.Q4_K, Precision.Q4_K, Precision.F16)));
    }

    /** CVE-2026-7482: a tensor past the end of the file became heap in the output. */
    @Test
    void aFileThatEndsTooEarlyNeverReachesNativeCode() throws IOException {
        Path file = Files.copy(TestModels.model(TestModels.QWEN).paths().get(0), directory.resolve("base.gguf"));
        ModelFiles read = TestModels.read(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 100_000);
        }
        assertThrows(GgufException.Truncated.class, () -> ModelFiles.read(file));
        assertThrows(
                GgufException.Truncated.class,
                () -> assemble(read, Optional.empty(), uniform(read, Precision.Q4_K)),
                "cut after it was read");
    }

    @Test
    void cancelledWorkGoesOnWhereItEnded() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        Plan plan = uniform(base, Precision.Q4_K);
        List<Long> totals = new ArrayList<>();
        QuantizeListener untilHalf = new QuantizeListener() {
            private boolean half;

            @Override
            public void quantized(long done, long total) {
                totals.add(total);
                half = done > total / 2;
            }

            @Override
            public boolean cancelled() {
                return half;
            }
        };
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.empty())) {
            assertThrows(QuantizeException.Cancelled.class, () -> requantizer.assemble(plan, untilHalf));
            AssembledModel rest = requantizer.assemble(plan, QuantizeListener.NONE);
            assertTrue(rest.quantizedWeights() > 0 && rest.quantizedWeights() < totals.get(0));
        }
    }

    @Test
    void anInterruptCancelsToo() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.empty())) {
            requantizer.fingerprint(QuantizeListener.NONE);
            Thread.currentThread().interrupt();
            assertThrows(
                    QuantizeException.Cancelled.class,
                    () -> requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE));
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void aBaseThatIsReplacedMeanwhileLeavesNothingInTheStore() throws IOException {
        Path file = Files.copy(TestModels.model(TestModels.QWEN).paths().get(0), directory.resolve("base.gguf"));
        ModelFiles base = TestModels.read(file);
        try (Requantizer requantizer = requantizer(base, Optional.empty(), Optional.empty())) {
            requantizer.fingerprint(QuantizeListener.NONE);
            Files.setLastModifiedTime(file, FileTime.fromMillis(0));
            assertThrows(
                    QuantizeException.UnsuitableSource.class,
                    () -> requantizer.assemble(uniform(base, Precision.Q4_K), QuantizeListener.NONE));
        }
        try (var files = Files.list(directory.resolve("store").resolve("entries"))) {
            assertEquals(List.of(), files.toList());
        }
    }

    private ModelFiles assemble(ModelFiles base, Optional<ImportanceMatrix> importance, Plan plan) throws IOException {
        try (Requantizer requantizer = requantizer(base, Optional.empty(), importance)) {
            return ModelFiles.of(
                    requantizer.assemble(plan, QuantizeListener.NONE).splits());
        }
    }

    private Requantizer requantizer(ModelFiles base, Optional<ModelFiles> mmproj, Optional<ImportanceMatrix> importance)
            throws IOException {
        return new Requantizer(LayerStore.open(directory.resolve("store")), base, mmproj, importance, 2);
    }

    private ModelFiles llamaQuantize(
            ModelFiles base, FileType fileType, Map<String, GgmlType> overrides, Optional<ImportanceMatrix> importance)
            throws IOException {
        Path target = Files.createTempFile(directory, "llama", ".gguf");
        ModelQuantizer.quantize(
                base.paths().get(0), target, new ModelQuantizer.Options(fileType, false, overrides, importance, 2));
        return TestModels.read(target);
    }

    private static Plan uniform(ModelFiles base, Precision precision) {
        return Plan.uniform(
                layers(base), precision, precision == Precision.F16 ? Precision.F16 : Precision.Q4_K_M, Precision.F16);
    }

    private static int layers(ModelFiles base) {
        return LayeredModel.of(base).layers().size();
    }

    /** Of the same types, and of the same bytes where ggml quantizes. */
    private static void assertSameTensors(ModelFiles expected, ModelFiles actual) throws IOException {
        assertEquals(expected.parameters(), actual.parameters());
        for (GgufTensor tensor : expected.first().tensors()) {
            assertEquals(Optional.of(tensor), actual.tensor(tensor.name()));
            if (Quantizer.searchVersion(tensor.type()) == 0) {
                assertEquals(
                        TestModels.data(expected, tensor.name()),
                        TestModels.data(actual, tensor.name()),
                        tensor.name());
            }
        }
    }

    /** By which part of a tensor's squares, weighted by importance, a model misses the base. */
    private static double error(ModelFiles base, ModelFiles model, String name, float[] importance) throws IOException {
        float[] original = floats(base, name);
        float[] quantized = floats(model, name);
        double error = 0;
        double all = 0;
        for (int i = 0; i < original.length; i++) {
            double weight = importance[i % importance.length];
            error += weight * Math.pow(original[i] - quantized[i], 2);
            all += weight * Math.pow(original[i], 2);
        }
        return error / all;
    }

    private static float[] floats(ModelFiles model, String name) throws IOException {
        GgufTensor tensor = model.tensor(name).orElseThrow();
        ByteBuffer data = TestModels.data(model, name);
        ByteBuffer blocks =
                ByteBuffer.allocateDirect(data.remaining()).put(data).flip();
        FloatBuffer floats = ByteBuffer.allocateDirect(Math.toIntExact(4 * tensor.elements()))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        Quantizer.dequantize(tensor.type(), blocks, floats);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        floats.flip().get(values);
        return values;
    }
}
