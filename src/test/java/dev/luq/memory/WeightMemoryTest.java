package dev.luq.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.requant.plan.Models;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightMemoryTest {

    private static final int BLOCKS = 32 * 2;
    private static final CpuFeatures AVX2 = new CpuFeatures(Set.of("avx2", "fma", "f16c"));

    @TempDir
    Path folder;

    @Test
    void llamaKeepsTheFileBetweenMappedTensorsBesideWhatItRepacks() throws IOException {
        ModelFiles inLayerOrder = file(
                vector("blk.0.attn_norm.weight"),
                matrix("blk.0.attn_q.weight", GgmlType.Q4_K),
                matrix("output.weight", GgmlType.F16),
                matrix("blk.0.attn_k.weight", GgmlType.Q4_K));
        long matrix = BLOCKS * 144;

        WeightMemory.Resident stock = new WeightMemory(Kernels.STOCK, AVX2).of(inLayerOrder);

        assertEquals(2 * matrix, stock.copied());
        // The second one lies behind the last mapped tensor.
        assertEquals(512 * 4 + matrix + BLOCKS * 512, stock.mapped());
    }

    @Test
    void panelsGiveTheFileBack() throws IOException {
        ModelFiles files = file(
                vector("blk.0.attn_norm.weight"),
                matrix("blk.0.attn_q.weight", GgmlType.IQ1_M),
                matrix("blk.0.attn_k.weight", GgmlType.IQ2_S),
                matrix("output.weight", GgmlType.F16));
        long others = 512 * 4 + BLOCKS * 512;

        assertEquals(
                new WeightMemory.Resident(others, BLOCKS * (76 + 108)), new WeightMemory(Kernels.FAST, AVX2).of(files));
        assertEquals(
                new WeightMemory.Resident(others + BLOCKS * 82, BLOCKS * 56),
                new WeightMemory(Kernels.COMPACT, AVX2).of(files));
        assertEquals(
                new WeightMemory.Resident(others + BLOCKS * (82 + 56), 0),
                new WeightMemory(Kernels.STOCK, AVX2).of(files));
    }

    @ParameterizedTest
    @EnumSource(
            value = Kernels.class,
            names = {"FAST", "COMPACT"})
    void panelsOfTheFilesOwnWordsTakeHardlyMore(Kernels kernels) throws IOException {
        ModelFiles files = file(
                matrix("blk.0.attn_q.weight", GgmlType.Q2_K),
                matrix("blk.0.attn_k.weight", GgmlType.Q3_K),
                matrix("blk.0.attn_v.weight", GgmlType.IQ4_XS),
                matrix("blk.0.ffn_gate.weight", GgmlType.Q4_K),
                matrix("blk.0.ffn_up.weight", GgmlType.Q5_K),
                matrix("blk.0.ffn_down.weight", GgmlType.Q6_K));
        assertEquals(
                new WeightMemory.Resident(0, BLOCKS * (84 + 112 + 136 + 144 + 176 + 212)),
                new WeightMemory(kernels, AVX2).of(files));
    }

    /** SSE is all it has: neither our kernels nor llama.cpp's interleaved ones run there. */
    @ParameterizedTest
    @EnumSource(Kernels.class)
    void aProcessorThatOurKernelsDoNotKnowKeepsTheFile(Kernels kernels) throws IOException {
        ModelFiles files = file(
                matrix("blk.0.attn_q.weight", GgmlType.IQ1_M),
                matrix("blk.0.attn_k.weight", GgmlType.IQ2_S),
                matrix("output.weight", GgmlType.Q4_K));
        CpuFeatures old = new CpuFeatures(Set.of("sse4_2"));
        assertEquals(new WeightMemory.Resident(BLOCKS * (56 + 82 + 144), 0), new WeightMemory(kernels, old).of(files));
    }

    @Test
    void llamaInterleavesWhatTheProcessorIsFasterWith() throws IOException {
        ModelFiles files = file(
                matrix("blk.0.attn_q.weight", GgmlType.Q4_K),
                matrix("blk.0.attn_k.weight", GgmlType.Q2_K),
                matrix("blk.0.attn_v.weight", GgmlType.Q6_K));
        long q4 = BLOCKS * 144;
        long q2 = BLOCKS * 84;
        long q6 = BLOCKS * 210;
        assertEquals(
                new WeightMemory.Resident(q2 + q6, q4),
                new WeightMemory(Kernels.FAST, new CpuFeatures(Set.of("avx2"))).of(files));
        assertEquals(
                new WeightMemory.Resident(q6, q4 + q2),
                new WeightMemory(Kernels.STOCK, new CpuFeatures(Set.of("avx2", "avx512f"))).of(files));
        assertEquals(
                new WeightMemory.Resident(q2, q4 + q6),
                new WeightMemory(Kernels.STOCK, new CpuFeatures(Set.of("asimddp"))).of(files));
    }

    @Test
    void rowsThatFillNoPanelStayInTheFile() throws IOException {
        GgufTensor narrow = new GgufTensor("blk.0.attn_k.weight", GgmlType.IQ1_M, List.of(512L, 24L));
        assertEquals(
                new WeightMemory.Resident(narrow.bytes(), 0),
                new WeightMemory(Kernels.FAST, AVX2)
                        .of(file(narrow, matrix("output.weight", GgmlType.Q4_K)))
                        .plus(new WeightMemory.Resident(0, -BLOCKS * 144)));
    }

    @Test
    void embeddingsThatAreTheOutputTooAreThereTwiceWhereTheOutputMoves() throws IOException {
        GgufTensor embeddings = matrix("token_embd.weight", GgmlType.Q6_K);
        ModelFiles tied = file(embeddings);
        assertEquals(
                new WeightMemory.Resident(embeddings.bytes(), BLOCKS * 212),
                new WeightMemory(Kernels.FAST, AVX2).of(tied));
        ModelFiles untied = file(embeddings, matrix("output.weight", GgmlType.F16));
        assertEquals(0, new WeightMemory(Kernels.FAST, AVX2).of(untied).copied());
    }

    /** What the store writes is ordered so that nothing is in memory twice, which plans reckon with. */
    @Test
    void plansAndFilesAgree() throws IOException {
        LayeredModel model = Models.decoder(2, 512, 256, 1024, 512, true);
        Plan byLayer = new Plan(List.of(Precision.IQ1_M, Precision.Q4_K_M), Precision.Q4_K_M, Precision.F16);
        SortedMap<String, GgmlType> mixed = new TreeMap<>();
        List<GgmlType> types =
                List.of(GgmlType.Q4_K, GgmlType.IQ3_S, GgmlType.Q6_K, GgmlType.Q2_K, GgmlType.IQ4_XS, GgmlType.Q8_0);
        tensors(model, byLayer).stream()
                .filter(tensor -> tensor.extent(1) > 1)
                .forEach(tensor -> mixed.put(tensor.name(), types.get(mixed.size() % types.size())));
        for (Plan plan : List.of(byLayer, new Plan(byLayer.layers(), byLayer.outside(), byLayer.mmproj(), mixed))) {
            List<GgufTensor> tensors = tensors(model, plan);
            ModelFiles files = file(tensors.toArray(GgufTensor[]::new));
            for (Kernels kernels : Kernels.values()) {
                Planner planner = new Planner(model, Optional.empty(), new ServingShape(512, 64, 1, 1, 64, kernels));
                long planned = planner.candidate(plan).memory().weights();
                long ofFile = new WeightMemory(kernels).of(files).total();
                assertTrue(
                        Math.abs(planned - ofFile) <= 64L * tensors.size(),
                        kernels + ": " + planned + " and " + ofFile);
            }
        }
    }

    private static List<GgufTensor> tensors(LayeredModel model, Plan plan) {
        List<GgufTensor> tensors = new ArrayList<>();
        model.outside().forEach(t -> tensors.add(typed(plan, t, TensorTypes.outside(plan.outside(), t, model.tied()))));
        for (int i = 0; i < plan.layers().size(); i++) {
            Precision precision = plan.layers().get(i);
            int layer = i;
            model.layers().get(i).forEach(t -> tensors.add(typed(plan, t, precision.type(t, layer, 2))));
        }
        tensors.sort(TensorTypes.MAPPED_FIRST);
        return tensors;
    }

    private static GgufTensor typed(Plan plan, GgufTensor tensor, GgmlType type) {
        return new GgufTensor(tensor.name(), plan.matrices().getOrDefault(tensor.name(), type), tensor.shape());
    }

    private static GgufTensor vector(String name) {
        return new GgufTensor(name, GgmlType.F32, List.of(512L));
    }

    private static GgufTensor matrix(String name, GgmlType type) {
        return new GgufTensor(name, type, List.of(512L, 32L));
    }

    private ModelFiles file(GgufTensor... tensors) throws IOException {
        Path path = folder.resolve("model.gguf");
        try (GgufWriter writer =
                GgufWriter.create(path, Map.of("general.architecture", GgufValue.text("qwen2")), List.of(tensors))) {
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            }
            writer.commit();
        }
        return ModelFiles.read(path);
    }
}
