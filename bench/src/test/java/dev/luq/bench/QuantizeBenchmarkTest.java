package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.requant.TestModels;
import dev.luq.requant.plan.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class QuantizeBenchmarkTest {

    @TempDir
    Path directory;

    @Test
    void bothMakeTheSameOfTheSameTensors() throws IOException {
        TestModels.init();
        QuantizeBenchmark benchmark = new QuantizeBenchmark(
                directory, new ModelSynthesizer.Shape(1, 512, 1024, 4, 2, 10, tensor -> GgmlType.F16), 2, 2);

        QuantizeBenchmark.Result result = benchmark.measure(Precision.Q4_K, 2);

        assertEquals(GgmlType.Q4_K, result.type());
        assertEquals("identical", result.likeness().toString());
        assertEquals((2 * 512 * 512 + 2 * 256 * 512 + 3 * 1024 * 512) / 2, result.weights());
        assertTrue(result.ours() > 0 && result.llama() > 0 && result.ratio() > 0);
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(
                    List.of("base.gguf"),
                    files.map(file -> file.getFileName().toString()).toList());
        }
    }

    @Test
    void whatIsSearchedForHasLessError() throws IOException {
        TestModels.init();
        QuantizeBenchmark benchmark = new QuantizeBenchmark(
                directory, new ModelSynthesizer.Shape(1, 512, 1024, 4, 2, 10, tensor -> GgmlType.F16), 2, 2);

        Likeness likeness = benchmark.measure(Precision.IQ3_S, 1).likeness();

        assertTrue(likeness.identical() && likeness.error() > 0.5 && likeness.error() < 1, likeness.toString());
        assertTrue(likeness.toString().endsWith(" of the error"), likeness.toString());
    }

    @Test
    void weightsOfKnownModelsAreToldByType() {
        Map<GgmlType, Long> luq12 = QuantizeBenchmark.weights(ModelSynthesizer.Shape.qwen7B(GgmlType.F16), 12);
        assertEquals(12 * 233_046_016L, luq12.get(GgmlType.IQ1_M));
        assertEquals(
                28 * 233_046_016L + 2 * 3584 * 152_064L,
                luq12.values().stream().mapToLong(w -> w).sum());
        assertEquals(Set.of(GgmlType.IQ1_M, GgmlType.Q4_K, GgmlType.Q6_K), luq12.keySet());
        assertEquals(
                16 * 202_375_168L,
                QuantizeBenchmark.weights(ModelSynthesizer.Shape.llava7B(GgmlType.F16), 16)
                        .get(GgmlType.IQ1_M));
    }
}
