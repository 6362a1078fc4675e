package dev.luq.requant.speed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.LayeredModel;
import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.Kernels;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TokenTimesTest {

    private static final long WEIGHTS = 4096L * 4096;

    /** Of llama.cpp's rows, billions of weights a second on one core. */
    private static KernelTable table(double q4, double iq1) {
        return new KernelTable(List.of(trial("q4_K", q4), trial("iq1_m", iq1)));
    }

    private static KernelTrial trial(String type, double rate) {
        return new KernelTrial(
                type, KernelTrial.ROWS, Set.of(Kernels.STOCK), KernelTrial.Outcome.RIGHT, rate, rate, "");
    }

    private static LayeredModel model(boolean tied, Map<String, GgufValue> metadata) {
        List<GgufTensor> outside = tied
                ? List.of(matrix("token_embd.weight", GgmlType.F16))
                : List.of(matrix("token_embd.weight", GgmlType.F16), matrix("output.weight", GgmlType.F16));
        return new LayeredModel(metadata, outside, List.of(List.of(matrix("blk.0.ffn_up.weight", GgmlType.F16))));
    }

    private static GgufTensor matrix(String name, GgmlType type) {
        return new GgufTensor(name, type, List.of(4096L, 4096L));
    }

    private static TokenTimes times(LayeredModel model, Optional<KernelTable> table, double bytesPerSecond) {
        return new TokenTimes(model, table, Kernels.STOCK, 2, bytesPerSecond);
    }

    @Test
    void theSlowerOneOfMultiplyingAndReadingCounts() {
        TokenTimes times = times(model(false, Map.of()), Optional.of(table(30, 5)), 20e9);
        GgufTensor q4 = matrix("blk.0.ffn_up.weight", GgmlType.Q4_K);
        assertEquals(q4.bytes() / 20e9, times.seconds(q4), 1e-12, "two cores multiply 60 billion, reading has 36");
        GgufTensor iq1 = matrix("blk.0.ffn_up.weight", GgmlType.IQ1_M);
        assertEquals(WEIGHTS / 10e9, times.seconds(iq1), 1e-12, "fewer bytes, but more work");
    }

    @Test
    void aTypeThatWasNotTriedIsOnlyRead() {
        TokenTimes times = times(model(false, Map.of()), Optional.empty(), 20e9);
        GgufTensor q8 = matrix("blk.0.ffn_up.weight", GgmlType.Q8_0);
        assertEquals(q8.bytes() / 20e9, times.seconds(q8), 1e-12);
    }

    @Test
    void embeddingsTakeTimeWhereTheyAreTheOutputToo() {
        GgufTensor embeddings = matrix("token_embd.weight", GgmlType.Q8_0);
        assertEquals(0, times(model(false, Map.of()), Optional.empty(), 20e9).seconds(embeddings));
        assertEquals(
                embeddings.bytes() / 20e9,
                times(model(true, Map.of()), Optional.empty(), 20e9).seconds(embeddings),
                1e-12);
        assertEquals(
                0,
                times(model(true, Map.of()), Optional.empty(), 20e9)
                        .seconds(new GgufTensor("blk.0.attn_norm.weight", GgmlType.F32, List.of(4096L))));
    }

    @Test
    void ofExpertsThoseCountThatATokenUses() {
        Map<String, GgufValue> metadata = Map.of(
                "general.architecture",
                GgufValue.text("qwen3moe"),
                "qwen3moe.expert_count",
                new GgufValue.Int(GgufValueType.UINT32, 8),
                "qwen3moe.expert_used_count",
                new GgufValue.Int(GgufValueType.UINT32, 2));
        GgufTensor experts = new GgufTensor("blk.0.ffn_up_exps.weight", GgmlType.Q8_0, List.of(4096L, 512L, 8L));
        assertEquals(
                experts.bytes() / 20e9 / 4,
                times(model(false, metadata), Optional.empty(), 20e9).seconds(experts),
                1e-12);
    }

    @Test
    void aMachineWithoutThreadsOrMemoryIsRefused() {
        LayeredModel model = model(false, Map.of());
        assertThrows(
                IllegalArgumentException.class, () -> new TokenTimes(model, Optional.empty(), Kernels.STOCK, 0, 20e9));
        assertThrows(
                IllegalArgumentException.class, () -> new TokenTimes(model, Optional.empty(), Kernels.STOCK, 2, 0));
    }
}
