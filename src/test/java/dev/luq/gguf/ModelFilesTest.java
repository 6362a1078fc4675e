package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFilesTest {

    @TempDir
    Path directory;

    @Test
    void factsOfAModel() throws IOException {
        ModelFacts facts = facts(model(256));
        assertEquals("qwen2vl", facts.architecture());
        assertEquals(Optional.of("Tiny"), facts.name());
        assertEquals(Optional.of("Q4_K - Medium"), facts.fileType());
        assertFalse(facts.projector());
        assertEquals(OptionalLong.of(256), facts.embeddingLength());
        assertEquals(OptionalLong.of(2), facts.blockCount());
        assertEquals(OptionalLong.of(4096), facts.contextLength());
        assertEquals(256 * 4, facts.parameters());
        assertEquals(4.5, facts.bitsPerWeight());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void aContextOfNoTokensIsAsGoodAsNone(long length) throws IOException {
        Map<String, GgufValue> metadata = Map.of(
                "general.architecture",
                GgufValue.text("llama"),
                "llama.context_length",
                new GgufValue.Int(GgufValueType.INT64, length));
        assertEquals(
                OptionalLong.empty(), facts(write("model.gguf", metadata, "a")).contextLength());
    }

    @Test
    void aModelIsNamedAsItsFiles() {
        assertEquals("llava-1.5-Q4_K_M", ModelFiles.nameOf(Path.of("/models/llava-1.5-Q4_K_M.gguf")));
        assertEquals("llava", ModelFiles.nameOf(Path.of("llava-00001-of-00033.gguf")));
        assertEquals("llava-1-of-3", ModelFiles.nameOf(Path.of("llava-1-of-3.gguf")));
        assertEquals("llava.bin", ModelFiles.nameOf(Path.of("llava.bin")));
    }

    @Test
    void factsOfAProjector() throws IOException {
        ModelFacts facts = facts(projector("qwen2.5vl_merger", 256));
        assertTrue(facts.projector());
        assertEquals(OptionalLong.of(256), facts.projectionLength());
        assertEquals(OptionalLong.empty(), facts.embeddingLength());
        assertEquals(OptionalLong.empty(), facts(projector("resampler", 256)).projectionLength());
    }

    @Test
    void aProjectorMustBeTheModelsOwn() throws IOException {
        ModelFacts model = facts(model(256));
        assertDoesNotThrow(() -> model.requireProjector(facts(projector("mlp", 256))));
        assertDoesNotThrow(() -> model.requireProjector(facts(projector("resampler", 512))));
        assertMismatch("256", () -> model.requireProjector(facts(projector("mlp", 512))));
        assertMismatch("qwen2vl", () -> model.requireProjector(model));
        assertMismatch("mmproj", () -> facts(projector("mlp", 256)).requireProjector(model));
    }

    @Test
    void aFileWithoutArchitectureIsNoModel() throws IOException {
        ModelFiles files = ModelFiles.read(write("x.gguf", Map.of(), "a"));
        assertThrows(GgufException.Malformed.class, () -> ModelFacts.of(files));
    }

    @Test
    void aSplitModelIsReadThroughItsFirstPart() throws IOException {
        Path first = part(1, 3, "a", 3);
        Path second = part(2, 3, "b", 3);
        Path third = part(3, 3, "c", 3);

        ModelFiles files = ModelFiles.read(first);

        assertEquals(List.of(first, second, third), files.paths());
        assertEquals(3, files.parameters());
        assertTrue(files.tensor("c").isPresent());
        assertMismatch("first part", () -> ModelFiles.read(second));
    }

    @Test
    void aSplitModelMustBeWhole() throws IOException {
        Path first = part(1, 3, "a", 3);
        part(2, 3, "b", 3);
        assertMismatch("missing", () -> ModelFiles.read(first));
        part(3, 3, "b", 3);
        assertMismatch("two parts", () -> ModelFiles.read(first));
        part(3, 3, "c", 3);
        assertDoesNotThrow(() -> ModelFiles.read(first));
        part(1, 3, "a", 4);
        assertMismatch("announced", () -> ModelFiles.read(first));
        Files.move(
                directory.resolve("model-00002-of-00003.gguf"),
                directory.resolve("model-00003-of-00003.gguf"),
                StandardCopyOption.REPLACE_EXISTING);
        part(2, 3, "b", 3);
        assertMismatch("Part 3", () -> ModelFiles.read(part(1, 3, "a", 3)));
    }

    @Test
    void aSplitModelMustBeNamedAsOne() throws IOException {
        Path renamed = Files.move(part(1, 2, "a", 2), directory.resolve("other.gguf"));
        assertMismatch("named", () -> ModelFiles.read(renamed));
    }

    @Test
    void partsMayHaveAnyNamesWhereTheyAreListed() throws IOException {
        Path first = Files.move(part(1, 2, "a", 2), directory.resolve("outside.gguf"));
        Path second = Files.move(part(2, 2, "b", 2), directory.resolve("layer.gguf"));

        assertEquals(
                List.of(first, second), ModelFiles.of(List.of(first, second)).paths());
        assertMismatch("first part", () -> ModelFiles.of(List.of(second, first)));
        assertMismatch("Part 1 of 1", () -> ModelFiles.of(List.of(first)));
        assertMismatch("Part 2", () -> ModelFiles.of(List.of(first, first)));
        assertMismatch("Part 1 of 3", () -> ModelFiles.of(List.of(first, second, second)));
        Path single = write("single.gguf", Map.of(), "a");
        assertEquals(List.of(single), ModelFiles.of(List.of(single)).paths());
        assertMismatch("Part 1 of 2", () -> ModelFiles.of(List.of(single, second)));
        assertThrows(IllegalArgumentException.class, () -> ModelFiles.of(List.of()));
    }

    private static void assertMismatch(String word, Executable call) {
        GgufException e = assertThrows(GgufException.Mismatch.class, call);
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }

    private static ModelFacts facts(Path file) throws IOException {
        return ModelFacts.of(ModelFiles.read(file));
    }

    private Path model(long width) throws IOException {
        Map<String, GgufValue> metadata = Map.of(
                "general.architecture", GgufValue.text("qwen2vl"),
                "general.name", GgufValue.text("Tiny"),
                "general.file_type", GgufValue.uint32(15),
                "qwen2vl.embedding_length", GgufValue.uint32(width),
                "qwen2vl.block_count", GgufValue.uint32(2),
                "qwen2vl.context_length", GgufValue.uint32(4096));
        return write("model.gguf", metadata, new GgufTensor("token_embd.weight", GgmlType.Q4_K, List.of(width, 4L)));
    }

    private Path projector(String type, long width) throws IOException {
        Map<String, GgufValue> metadata = Map.of(
                "general.architecture", GgufValue.text("clip"),
                "general.type", GgufValue.text("mmproj"),
                "clip.projector_type", GgufValue.text(type));
        return write("mmproj.gguf", metadata, new GgufTensor("mm.2.weight", GgmlType.F16, List.of(64L, width)));
    }

    private Path part(int number, int count, String tensor, int tensors) throws IOException {
        Map<String, GgufValue> metadata = Map.of(
                "split.no", new GgufValue.Int(GgufValueType.UINT16, number - 1),
                "split.count", new GgufValue.Int(GgufValueType.UINT16, count),
                "split.tensors.count", new GgufValue.Int(GgufValueType.INT32, tensors));
        return write(String.format("model-%05d-of-%05d.gguf", number, count), metadata, tensor);
    }

    private Path write(String name, Map<String, GgufValue> metadata, String tensor) throws IOException {
        return write(name, metadata, new GgufTensor(tensor, GgmlType.F32, List.of()));
    }

    private Path write(String name, Map<String, GgufValue> metadata, GgufTensor tensor) throws IOException {
        Path file = directory.resolve(name);
        try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(tensor))) {
            writer.begin(tensor.name());
            writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            writer.commit();
        }
        return file;
    }
}
