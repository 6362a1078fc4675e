package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Integration
class QuantizerTest {

    private static final int COLUMNS = 512;
    private static final int ROWS = 6;

    @BeforeAll
    static void init() {
        Llama.init(line -> {});
    }

    /** Root mean squares of what is lost, relative to the weights', are those that the types are known for. */
    @ParameterizedTest
    @CsvSource({
        "F32, 0",
        "F16, 0.0003",
        "BF16, 0.003",
        "Q8_0, 0.01",
        "Q6_K, 0.03",
        "Q4_K, 0.09",
        "IQ3_S, 0.14",
        "IQ3_XXS, 0.19",
        "IQ2_S, 0.26",
        "IQ1_M, 0.45"
    })
    void whatIsReadBackIsClose(GgmlType type, double loss) {
        float[] weights = weights();
        float[] back = new float[weights.length];
        ByteBuffer blocks = quantize(bytes(weights), type, null);
        FloatBuffer floats = direct(4 * back.length).asFloatBuffer();
        Quantizer.dequantize(type, blocks, floats);
        floats.flip().get(back);

        double error = 0;
        double square = 0;
        for (int i = 0; i < back.length; i++) {
            error += Math.pow(back[i] - weights[i], 2);
            square += Math.pow(weights[i], 2);
        }
        assertTrue(Math.sqrt(error / square) <= loss, type + " loses " + Math.sqrt(error / square));
        assertFalse(blocks.hasRemaining());
    }

    @ParameterizedTest
    @CsvSource({"Q8_K", "Q8_1", "I8", "I32", "I64", "F64"})
    void typesThatGgmlCannotReadAreRefused(GgmlType type) {
        ByteBuffer block = direct(type.blockBytes());
        FloatBuffer floats = direct(4 * type.blockSize()).asFloatBuffer();
        assertThrows(IllegalArgumentException.class, () -> Quantizer.dequantize(type, block, floats));
    }

    @ParameterizedTest
    @EnumSource(
            value = GgmlType.class,
            names = {"Q4_K", "IQ1_M", "IQ2_S", "IQ3_XXS", "IQ3_S"})
    void slicesOfAnySizeGiveTheSame(GgmlType type) {
        ByteBuffer rows = bytes(weights());
        ByteBuffer whole = quantize(rows.duplicate().order(ByteOrder.LITTLE_ENDIAN), type, null);
        ByteBuffer parts = direct(whole.remaining());
        try (Quantizer quantizer = Quantizer.create(GgmlType.F32, type, COLUMNS, 4, null)) {
            for (int[] slice : new int[][] {{0, 1}, {1, 5}, {5, 6}}) {
                rows.limit(slice[1] * COLUMNS * 4).position(slice[0] * COLUMNS * 4);
                assertTrue(quantizer.quantize(rows, parts));
            }
        }
        assertEquals(whole, parts.flip());
    }

    @ParameterizedTest
    @EnumSource(
            value = GgmlType.class,
            names = {"Q4_K", "IQ2_XXS", "IQ3_S"})
    void importancesDecideWhereErrorsGo(GgmlType type) {
        float[] importance = new float[COLUMNS];
        Arrays.fill(importance, 1);
        ByteBuffer even = quantize(bytes(weights()), type, importance);
        importance[7] = 1000;
        assertFalse(even.equals(quantize(bytes(weights()), type, importance)));
    }

    @Test
    void whatIsSearchedForIsToldWithItsVersion() {
        assertEquals(
                List.of("IQ1_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ3_S", "IQ3_XXS"),
                Arrays.stream(GgmlType.values())
                        .filter(type -> Quantizer.searchVersion(type) > 0)
                        .map(GgmlType::name)
                        .sorted()
                        .toList());
        assertTrue(Quantizer.method().contains("IQ2_S " + Quantizer.searchVersion(GgmlType.IQ2_S)), Quantizer.method());
    }

    /** ggml would make infinite scales of them. */
    @ParameterizedTest
    @EnumSource(
            value = GgmlType.class,
            names = {"IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"})
    void extremesLeadToFiniteBlocks(GgmlType type) {
        float[] weights = weights();
        for (int i = 0; i < COLUMNS; i++) {
            weights[i] = i % 2 == 0 ? 1e38f : -1e-40f;
            weights[COLUMNS + i] = 0;
            weights[2 * COLUMNS + i] = i == 300 ? -Float.MAX_VALUE : 0;
        }
        float[] importance = new float[COLUMNS];
        for (float extreme : new float[] {0, 1, Float.POSITIVE_INFINITY, Float.NaN, Float.MAX_VALUE}) {
            for (int i = 0; i < COLUMNS; i += 3) {
                importance[i] = extreme;
            }
            assertTrue(Quantizer.isValid(type, quantize(bytes(weights), type, importance)));
        }
        weights[700] = Float.NaN;
        try (Quantizer quantizer = Quantizer.create(GgmlType.F32, type, COLUMNS, ROWS, importance)) {
            assertFalse(quantizer.quantize(bytes(weights), direct(ROWS * COLUMNS)));
        }
    }

    @Test
    void whatIsNoNumberIsRefused() {
        float[] weights = weights();
        weights[700] = Float.NaN;
        try (Quantizer quantizer = Quantizer.create(GgmlType.F32, GgmlType.Q8_0, COLUMNS, ROWS, null)) {
            assertFalse(quantizer.quantize(bytes(weights), direct(ROWS * COLUMNS * 2)));
        }
        assertFalse(Quantizer.isValid(GgmlType.F32, bytes(weights)));
        assertTrue(Quantizer.isValid(GgmlType.F32, bytes(weights())));
    }

    @Test
    void whatWouldAbortTheProcessIsAnException() {
        assertThrows(
                IllegalArgumentException.class, () -> Quantizer.create(GgmlType.F16, GgmlType.IQ2_XXS, 256, 1, null));
        assertThrows(IllegalArgumentException.class, () -> Quantizer.create(GgmlType.F16, GgmlType.Q4_K, 320, 1, null));
        assertThrows(
                IllegalArgumentException.class,
                () -> Quantizer.create(GgmlType.F16, GgmlType.Q4_K, 256, 1, new float[3]));
        Quantizer quantizer = Quantizer.create(GgmlType.F32, GgmlType.Q8_0, COLUMNS, 1, null);
        assertThrows(
                IllegalArgumentException.class,
                () -> quantizer.quantize(bytes(weights()), direct(1 << 16)),
                "more rows than said");
        assertThrows(
                IllegalArgumentException.class, () -> quantizer.quantize(direct(COLUMNS * 4), direct(10)), "no room");
        assertThrows(
                IllegalArgumentException.class,
                () -> quantizer.quantize(ByteBuffer.allocate(COLUMNS * 4), direct(1 << 16)),
                "not direct");
        quantizer.close();
        quantizer.close();
        assertThrows(IllegalStateException.class, () -> quantizer.quantize(direct(COLUMNS * 4), direct(1 << 16)));
    }

    @Test
    void llamaCppSaysWhyItWillNot(@TempDir Path directory) {
        ModelQuantizer.Options options =
                new ModelQuantizer.Options(ModelQuantizer.FileType.IQ2_XXS, false, Map.of(), Optional.empty(), 1);
        LlamaException e = assertThrows(
                LlamaException.Quantization.class,
                () -> ModelQuantizer.quantize(
                        TinyModels.modelFile(TinyModels.QWEN), directory.resolve("out.gguf"), options));
        assertTrue(e.getMessage().contains("matrix"), e.getMessage());
        assertFalse(e.getMessage().contains(directory.toString()), e.getMessage());
    }

    private static ByteBuffer quantize(ByteBuffer rows, GgmlType type, float[] importance) {
        ByteBuffer out = direct(ROWS * COLUMNS * 4);
        try (Quantizer quantizer = Quantizer.create(GgmlType.F32, type, COLUMNS, ROWS, importance)) {
            assertTrue(quantizer.quantize(rows, out));
        }
        assertArrayEquals(
                new int[] {ROWS * COLUMNS / type.blockSize() * type.blockBytes(), 0},
                new int[] {out.position(), rows.remaining()});
        return out.flip();
    }

    private static float[] weights() {
        SplittableRandom random = new SplittableRandom(3);
        float[] weights = new float[ROWS * COLUMNS];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        return weights;
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer bytes = direct(values.length * 4);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
