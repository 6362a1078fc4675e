package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.ModelSettings;
import dev.luq.memory.MemoryEstimate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServedMemoryTest {

    private static final Path MODEL = Path.of("src/test/resources/reference/qwen2.5-vl-tiny-F16.gguf");

    @TempDir
    Path folder;

    private final ServedMemory memory = new ServedMemory(TestConfig.of(Map.of()));

    @Test
    void aModelOfNoTrainingContextIsServedWithTheDefault() throws IOException {
        byte[] model = Files.readAllBytes(MODEL);
        long whole = memory.of(entry(model)).orElseThrow().total();
        // The value stands behind the key and four bytes of its type.
        int value = indexOf(model, "qwen2vl.context_length") + "qwen2vl.context_length".length() + 4;
        Arrays.fill(model, value, value + 4, (byte) 0);
        assertTrue(memory.of(entry(model)).orElseThrow().total() >= whole);
    }

    @Test
    void aFileThatIsNoModelHasNoEstimate() throws IOException {
        assertEquals(Optional.empty(), memory.of(entry(new byte[100])));
    }

    @Test
    void headersAreReadOnceForAsLongAsTheModelIsListed() throws IOException {
        CatalogEntry entry = entry(Files.readAllBytes(MODEL));
        Optional<MemoryEstimate> estimate = memory.of(entry);
        Files.delete(entry.files().get(0));
        memory.retain(List.of("tiny", "other"));
        assertEquals(estimate, memory.of(entry));
        memory.retain(List.of("other"));
        assertEquals(Optional.empty(), memory.of(entry));
    }

    private CatalogEntry entry(byte[] model) throws IOException {
        Path file = Files.write(Files.createTempFile(folder, "model", ".gguf"), model);
        return new CatalogEntry(
                "tiny",
                List.of(),
                true,
                false,
                ModelSettings.NONE,
                new CatalogEntry.Source(List.of(file), Optional.empty()),
                Optional.empty(),
                1,
                Optional.empty(),
                Optional.empty());
    }

    private static int indexOf(byte[] bytes, String text) {
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
        assertTrue(at >= 0);
        return at;
    }
}
