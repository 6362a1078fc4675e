package dev.luq.requant.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.ModelQuantizer.FileType;
import dev.luq.requant.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class UniformModelsTest {

    @TempDir
    Path directory;

    @BeforeAll
    static void init() {
        TestModels.init();
    }

    @Test
    void aModelIsMadeOnce() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        Path target = directory.resolve("uniform.gguf");

        long bytes = UniformModels.quantize(base, FileType.Q3_K_M, Optional.of(TestModels.importance(base)), 2, target);
        FileTime made = Files.getLastModifiedTime(target);

        assertEquals(TestModels.read(target).tensorBytes(), bytes);
        assertEquals(bytes, UniformModels.quantize(base, FileType.Q3_K_M, Optional.empty(), 2, target));
        assertEquals(made, Files.getLastModifiedTime(target));
        assertEquals(base.parameters(), TestModels.read(target).parameters());
    }

    @Test
    void whatLlamaCppRefusesLeavesNothing() throws IOException {
        ModelFiles base = TestModels.model(TestModels.QWEN);
        QuantizeException e = assertThrows(
                QuantizeException.UnsuitableSource.class,
                () -> UniformModels.quantize(
                        base, FileType.IQ2_XXS, Optional.empty(), 2, directory.resolve("uniform.gguf")));
        assertTrue(e.getMessage().contains("IQ2_XXS"), e.getMessage());
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
    }
}
