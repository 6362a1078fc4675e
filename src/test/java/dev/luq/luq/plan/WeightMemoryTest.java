package dev.luq.luq.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightMemoryTest {

    private static final int BLOCKS = 32 * 2;

    @TempDir
    Path folder;

    @Test
    void llamaKeepsTheFileBetweenMappedTensorsBesideWhatItRepacks() throws IOException {
        ModelFiles inLayerOrder = file(vector("blk.0.attn_norm.weight"), matrix("blk.0.attn_q.weight", GgmlType.Q4_K),
                matrix("output.weight", GgmlType.F16), matrix("blk.0.attn_k.weight", GgmlType.Q4_K));
        long matrix = BLOCKS * 144;

        WeightMemory.Resident stock = WeightMemory.of(inLayerOrder, Kernels.STOCK);

        assertEquals(2 * matrix, stock.copied());
        // The second one lies behind the last mapped tensor.
        assertEquals(512 * 4 + matrix + BLOCKS * 512, stock.mapped());
    }

    @Test
    void panelsGiveTheFileBack() throws IOException {
        ModelFiles files = file(vector("blk.0.attn_norm.weight"), matrix("blk.0.attn_q.weight", GgmlType.IQ1_M),
                matrix("blk.0.attn_k.weight", GgmlType.IQ2_S), matrix("output.weight", GgmlType.F16));
        long others = 512 * 4 + BLOCKS * 512;

        assertEquals(new WeightMemory.Resident(others, BLOCKS * (76 + 108)), WeightMemory.of(files, Kernels.FAST));
        assertEquals(new WeightMemory.Resident(others + BLOCKS * 82, BLOCKS * 56), WeightMemory.of(files, Kernels.COMPACT));
        assertEquals(new WeightMemory.Resident(others + BLOCKS * (82 + 56), 0), WeightMemory.of(files, Kernels.STOCK));
    }

    @Test
    void rowsThatFillNoPanelStayInTheFile() throws IOException {
        GgufTensor narrow = new GgufTensor("blk.0.attn_k.weight", GgmlType.IQ1_M, List.of(512L, 24L));
        assertEquals(new WeightMemory.Resident(narrow.bytes(), 0),
                WeightMemory.of(file(narrow, matrix("output.weight", GgmlType.Q4_K)), Kernels.FAST)
                        .plus(new WeightMemory.Resident(0, -BLOCKS * 144)));
    }

    @Test
    void embeddingsThatAreTheOutputTooAreThereTwiceWhereTheOutputMoves() throws IOException {
        GgufTensor embeddings = matrix("token_embd.weight", GgmlType.Q6_K);
        ModelFiles tied = file(embeddings);
        assertEquals(new WeightMemory.Resident(embeddings.bytes(), BLOCKS * 212), WeightMemory.of(tied, Kernels.FAST));
        ModelFiles untied = file(embeddings, matrix("output.weight", GgmlType.F16));
        assertEquals(0, WeightMemory.of(untied, Kernels.FAST).copied());
    }

    /** What the store writes is ordered so that nothing is in memory twice, which plans reckon with. */
    @Test
    void plansAndFilesAgree() throws IOException {
        LayeredModel model = Models.decoder(2, 512, 256, 1024, 512, true);
        Plan plan = new Plan(List.of(Precision.IQ1_M, Precision.Q4_K_M), Precision.Q4_K_M, Precision.F16);
        List<GgufTensor> tensors = new ArrayList<>();
        model.outside().forEach(t -> tensors.add(new GgufTensor(t.name(),
                TensorTypes.outside(plan.outside(), t, model.tied()), t.shape())));
        for (int i = 0; i < 2; i++) {
            int layer = i;
            model.layers().get(i).forEach(t -> tensors.add(new GgufTensor(t.name(),
                    plan.layers().get(layer).type(t, layer, 2), t.shape())));
        }
        tensors.sort(TensorTypes.MAPPED_FIRST);
        ModelFiles files = file(tensors.toArray(GgufTensor[]::new));

        for (Kernels kernels : List.of(Kernels.FAST, Kernels.COMPACT)) {
            Planner planner = new Planner(model, Optional.empty(), new ServingShape(512, 64, 1, 1, 64, kernels));
            long planned = planner.candidate(plan).memory().weights();
            long ofFile = WeightMemory.of(files, kernels).total();
            assertTrue(Math.abs(planned - ofFile) <= 64 * tensors.size(), kernels + ": " + planned + " and " + ofFile);
        }
    }

    private static GgufTensor vector(String name) {
        return new GgufTensor(name, GgmlType.F32, List.of(512L));
    }

    private static GgufTensor matrix(String name, GgmlType type) {
        return new GgufTensor(name, type, List.of(512L, 32L));
    }

    private ModelFiles file(GgufTensor... tensors) throws IOException {
        Path path = folder.resolve("model.gguf");
        try (GgufWriter writer = GgufWriter.create(path,
                Map.of("general.architecture", GgufValue.text("qwen2")), List.of(tensors))) {
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            }
            writer.commit();
        }
        return ModelFiles.read(path);
    }
}
