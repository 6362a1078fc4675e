package dev.luq.luq.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.luq.TestModels;
import dev.luq.luq.plan.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeBenchmarkTest {

    @TempDir
    Path directory;

    @Test
    void bothMakeTheSameOfTheSameTensors() throws IOException {
        TestModels.init();
        QuantizeBenchmark benchmark = new QuantizeBenchmark(directory, new QuantizeBenchmark.Shape(512, 256, 1024), 2, 2);

        QuantizeBenchmark.Result result = benchmark.measure(Precision.Q4_K, 2);

        assertEquals(GgmlType.Q4_K, result.type());
        assertTrue(result.identical());
        assertEquals((2 * 512 * 512 + 2 * 256 * 512 + 3 * 1024 * 512) / 2, result.weights());
        assertTrue(result.ours() > 0 && result.llama() > 0 && result.ratio() > 0);
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of("base.gguf"), files.map(file -> file.getFileName().toString()).toList());
        }
    }

    @Test
    void theLayersOfKnownModelsHaveTheirWeights() {
        assertEquals(233_046_016, weights(QuantizeBenchmark.Shape.QWEN_7B));
        assertEquals(202_375_168, weights(QuantizeBenchmark.Shape.LLAVA_7B));
    }

    private static long weights(QuantizeBenchmark.Shape shape) {
        return (long) shape.width() * (2 * shape.width() + 2 * shape.keyValueWidth() + 3 * shape.feedForward());
    }
}
