package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelSynthesizerTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"F16", "Q8_0", "Q4_K", "Q6_K", "IQ1_M"})
    void writesAWholeModelOfEachType(GgmlType type) throws IOException {
        ModelFiles files = write(new ModelSynthesizer.Shape(1, 256, 600, type));

        ModelFacts facts = ModelFacts.of(files);
        assertEquals("qwen2", facts.architecture());
        assertEquals(OptionalLong.of(256), facts.embeddingLength());
        assertTrue(facts.fileType().orElseThrow().startsWith(type.name()));
        assertEquals(type, files.tensor("blk.0.ffn_down.weight").orElseThrow().type());
        GgufValue.Array tokens = (GgufValue.Array) files.first().metadata().get("tokenizer.ggml.tokens");
        assertEquals(600, tokens.size());
        assertEquals(600, tokens.values().stream().distinct().count());
    }

    @Test
    void theBenchmarkModelHasOverAHundredMillionWeights() throws IOException {
        assertTrue(write(ModelSynthesizer.Shape.benchmark(GgmlType.Q4_K)).parameters() > 100_000_000);
    }

    @Test
    void theSameSeedGivesTheSameFile() throws IOException {
        ModelSynthesizer.Shape shape = new ModelSynthesizer.Shape(1, 256, 300, GgmlType.Q8_0);
        byte[] first = Files.readAllBytes(write(shape).paths().get(0));
        byte[] second = Files.readAllBytes(write(shape).paths().get(0));
        assertArrayEquals(first, second);
    }

    @Test
    void neitherControlTokensNorBytesOfOtherAlphabetsCanBeGenerated() throws IOException {
        ModelFiles files = write(new ModelSynthesizer.Shape(1, 256, 600, GgmlType.F16));
        GgufTensor output = files.tensor("output.weight").orElseThrow();
        byte[] file = Files.readAllBytes(files.paths().get(0));
        int rowBytes = (int) (output.bytes() / 600);
        for (int token : new int[] {0, 255, 597, 598, 599, 'a', 256, 596}) {
            int start = (int) files.first().offset("output.weight") + token * rowBytes;
            boolean silent = Arrays.equals(new byte[rowBytes], Arrays.copyOfRange(file, start, start + rowBytes));
            assertEquals(token != 'a' && token != 256 && token != 596, silent, "token " + token);
        }
    }

    @Test
    void largeVocabulariesHaveNoTokenTwice() throws IOException {
        ModelFiles files = write(new ModelSynthesizer.Shape(1, 256, 152_064, GgmlType.IQ1_M));
        GgufValue.Array tokens = (GgufValue.Array) files.first().metadata().get("tokenizer.ggml.tokens");
        assertEquals(152_064, tokens.values().stream().distinct().count());
    }

    @Test
    void refusesVocabulariesThatItCannotFill() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ModelSynthesizer(new ModelSynthesizer.Shape(1, 256, 1_000_000, GgmlType.F16), 1));
    }

    /** Patterns of IEEE 754 binary16. */
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 15360",
        "-2, -16384",
        "0.0999755859375, 11878",
        "65504, 31743",
        "0.00006103515625, 1024",
        "0.000000059604644775390625, 1",
        "0.99999, 15360"
    })
    void roundsToHalf(double value, short pattern) {
        assertEquals(pattern, ModelSynthesizer.half(value));
    }

    private ModelFiles write(ModelSynthesizer.Shape shape) throws IOException {
        Path file = directory.resolve("model.gguf");
        new ModelSynthesizer(shape, 7).write(file);
        return ModelFiles.read(file);
    }
}
