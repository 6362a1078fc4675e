package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.CliException;
import dev.luq.cli.Printed;
import dev.luq.gguf.GgmlType;
import dev.luq.machine.Kernels;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Integration
class ShapeBenchmarkTest {

    @Test
    void aShapeThatIsNotKnownIsRefusedWithThoseThatAre() {
        CliException e = assertThrows(CliException.class, () -> benchmark("gpt-2", 12, 0));
        assertTrue(e.getMessage().contains("qwen2.5-vl-7b"), e.getMessage());
    }

    @Test
    void moreLayersThanTheModelHasAreRefused() {
        assertThrows(CliException.class, () -> benchmark("qwen2.5-vl-7b", 29, 0));
        assertThrows(CliException.class, () -> benchmark("qwen2.5-vl-7b", 12, 29));
    }

    @Test
    void lowLayersAreSpreadOverTheModel() {
        ShapeBenchmark benchmark = benchmark("qwen2.5-vl-7b", 12, 0);
        int[] low = IntStream.range(0, 28)
                .filter(layer -> type(benchmark, layer, "attn_q", 12) == GgmlType.IQ1_M)
                .toArray();
        assertEquals(12, low.length);
        assertTrue(IntStream.range(1, low.length).allMatch(i -> low[i] - low[i - 1] <= 3));
    }

    /** llama.cpp v0.5.0, use_more_bits: the first and last eighth and every third layer between. */
    @Test
    void otherLayersFollowTheRecipeQ4KM() {
        ShapeBenchmark benchmark = benchmark("qwen2.5-vl-7b", 0, 0);
        for (int layer : new int[] {0, 2, 5, 26, 27}) {
            assertEquals(GgmlType.Q6_K, type(benchmark, layer, "ffn_down", 0), "layer " + layer);
        }
        assertEquals(GgmlType.Q4_K, type(benchmark, 3, "ffn_down", 0));
        assertEquals(GgmlType.Q4_K, type(benchmark, 0, "ffn_up", 0));
        assertEquals(GgmlType.Q6_K, benchmark.type("output.weight", 0));
        assertEquals(GgmlType.Q4_K, benchmark.type("token_embd.weight", 0));
    }

    /** @param tokens 0 is what {@code bench prefill} asks for */
    @ParameterizedTest
    @CsvSource({"0, FAST", "4, FAST", "4, COMPACT"})
    void everySideIsMeasuredOnATinyShape(int tokens, Kernels layout) throws Exception {
        ShapeBenchmark benchmark = new ShapeBenchmark(
                new ShapeBenchmark.Options("tiny", 1, 0, tokens, 8, 3, 1, layout, Optional.empty()),
                new ModelSynthesizer.Shape(2, 256, 1300, GgmlType.Q4_K));
        String printed = Printed.by(() -> {
            benchmark.run();
            return null;
        });
        assertTrue(printed.startsWith("tiny: 2 of 2 layers, 1 of them IQ1_M in LUQ; 1 threads"), printed);
        assertEquals(tokens > 0, printed.contains("decode t/s"), printed);
        assertEquals(tokens == 0, printed.contains("prefill t/s"), printed);
        for (String side : List.of("Q4_K_M, ours", "LUQ, stock", "LUQ, ours")) {
            double[] numbers = row(printed, side);
            assertEquals(6, numbers.length, printed);
            assertTrue(numbers[0] > 0, printed);
            assertTrue(
                    numbers[2] <= numbers[1] && numbers[1] <= numbers[3], "median between the quartiles: " + printed);
        }
        double[] yardstick = row(printed, "Q4_K_M, stock");
        assertEquals(4, yardstick.length, printed);
        assertEquals(1, yardstick[1], printed);
        assertTrue(printed.contains("3 rounds. Half of the 9 turns"), printed);
    }

    /** Numbers of a side's row: tokens/s, ratio, perhaps its quartiles, seconds to load, GiB. */
    private static double[] row(String printed, String side) {
        String row = printed.lines()
                .filter(line -> line.startsWith(side + " "))
                .findFirst()
                .orElseThrow();
        return Arrays.stream(row.substring(side.length())
                        .replaceAll("GiB|to", "")
                        .strip()
                        .split("\\s+"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    @Test
    void tooLittleMemoryForTwoModelsIsSaidBeforeTheyAreLoaded() {
        CliException e = assertThrows(
                CliException.class, () -> SpeedComparison.requireRoom(10L << 30, OptionalLong.of(6L << 30)));
        assertTrue(e.getMessage().contains("takes 10.0 GiB; 6.0 GiB are available"), e.getMessage());
        SpeedComparison.requireRoom(6L << 30, OptionalLong.of(6L << 30));
        SpeedComparison.requireRoom(6L << 30, OptionalLong.empty());
    }

    private static GgmlType type(ShapeBenchmark benchmark, int layer, String matrix, int low) {
        return benchmark.type("blk." + layer + "." + matrix + ".weight", low);
    }

    private static ShapeBenchmark benchmark(String shape, int low, int layers) {
        return new ShapeBenchmark(
                new ShapeBenchmark.Options(shape, low, layers, 8, 8, 1, 1, Kernels.FAST, Optional.empty()));
    }
}
