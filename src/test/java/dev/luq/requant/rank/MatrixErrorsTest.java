package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.TestModels;
import dev.luq.requant.plan.TensorTypes;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class MatrixErrorsTest {

    @TempDir
    Path folder;

    @BeforeAll
    static void init() {
        TestModels.init();
    }

    private static Map<String, List<GgmlType>> choices(ModelFiles model) {
        Map<String, List<GgmlType>> choices = new TreeMap<>();
        model.first().tensors().forEach(tensor -> {
            List<GgmlType> types =
                    TensorTypes.choices(tensor, LayeredModel.of(model).tied());
            if (!types.isEmpty()) {
                choices.put(tensor.name(), types);
            }
        });
        return choices;
    }

    private static MatrixErrors measure(ModelFiles model, int threads) throws Exception {
        ImportanceMatrix importance = TestModels.importance(model);
        return MatrixErrors.measure(model, choices(model), importance, importance, threads, share -> {});
    }

    @Test
    void moreBitsAreLessError() throws Exception {
        ModelFiles model = TestModels.model(TestModels.QWEN);
        MatrixErrors errors = measure(model, 2);
        assertEquals(choices(model).keySet(), errors.relative().keySet());
        for (SortedMap<GgmlType, Double> ofMatrix : errors.relative().values()) {
            assertTrue(ofMatrix.get(GgmlType.Q8_0) < ofMatrix.get(GgmlType.Q6_K), ofMatrix.toString());
            assertTrue(ofMatrix.get(GgmlType.Q6_K) < ofMatrix.get(GgmlType.Q4_K), ofMatrix.toString());
            assertTrue(ofMatrix.get(GgmlType.Q4_K) < 0.02, ofMatrix.toString());
        }
        SortedMap<GgmlType, Double> down = errors.relative().get("blk.1.ffn_down.weight");
        assertTrue(down.get(GgmlType.Q4_K) < down.get(GgmlType.IQ3_S), down.toString());
        assertTrue(down.get(GgmlType.IQ3_S) < down.get(GgmlType.IQ2_S), down.toString());
        assertTrue(down.get(GgmlType.IQ2_S) < down.get(GgmlType.IQ1_M), down.toString());
        assertFalse(
                errors.relative().get("output.weight").containsKey(GgmlType.IQ1_M),
                "nothing is known about its columns");
        assertEquals(errors, measure(model, 1), "whoever measures");
    }

    /** Of so large a matrix only some rows are read, of a small one all. */
    @Test
    void aSampleOfRowsIsAsGoodAsAll() throws Exception {
        ModelFiles model = TestModels.grown(1, 768, folder.resolve("large.gguf"));
        ImportanceMatrix importance = TestModels.importance(model);
        double error = MatrixErrors.measure(
                        model,
                        Map.of("blk.0.ffn_up.weight", List.of(GgmlType.Q8_0)),
                        importance,
                        importance,
                        1,
                        share -> {})
                .relative()
                .get("blk.0.ffn_up.weight")
                .get(GgmlType.Q8_0);
        // Magnitudes of 2^-7 to 2^-5 in steps of an 127th of the largest: a twelfth of the step's square.
        double step = Math.pow(2, -5) / 127;
        double square = Math.pow(2, -6) * Math.pow(2, -6);
        assertEquals(step * step / 12 / square, error, 0.5 * step * step / 12 / square);
    }

    @Test
    void whatIsNoNumberIsSaid() throws Exception {
        ModelFiles model = TestModels.model(TestModels.QWEN);
        ModelFiles damaged = TestModels.read(
                TestModels.changed(model, "blk.1.ffn_up.weight", 0, 64, 0x7e00, folder.resolve("damaged.gguf")));
        RankException e = assertThrows(RankException.NonFiniteWeights.class, () -> measure(damaged, 2));
        assertTrue(e.getMessage().contains("blk.1.ffn_up.weight"), e.getMessage());
        assertThrows(
                RankException.ForeignModel.class,
                () -> MatrixErrors.measure(
                        model,
                        Map.of("blk.7.ffn_up.weight", List.of(GgmlType.Q8_0)),
                        TestModels.importance(model),
                        TestModels.importance(model),
                        1,
                        share -> {}));
    }
}
