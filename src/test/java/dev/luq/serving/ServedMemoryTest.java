package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.LoadPolicy;
import dev.luq.catalog.ModelSettings;
import dev.luq.memory.MemoryEstimate;
import dev.luq.protocol.ModelDefaults;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
    void headersAreReadOnceForAsLongAsTheModelIsThere() throws IOException {
        CatalogEntry entry = entry(Files.readAllBytes(MODEL));
        MemoryEstimate estimate = memory.of(entry).orElseThrow();
        assertSame(estimate, memory.of(entry).orElseThrow());
        memory.forget("tiny");
        assertNotSame(estimate, memory.of(entry).orElseThrow());
    }

    @Test
    void filesThatWereReplacedAreReadAnew() throws IOException {
        CatalogEntry entry = entry(Files.readAllBytes(MODEL));
        assertTrue(memory.of(entry).isPresent());
        Path file = entry.files().get(0);
        Files.write(file, new byte[100]);
        assertEquals(Optional.empty(), memory.of(entry));
        Files.copy(MODEL, file, StandardCopyOption.REPLACE_EXISTING);
        assertTrue(memory.of(entry).isPresent());
        Files.delete(file);
        assertEquals(Optional.empty(), memory.of(entry));
    }

    @Test
    void aModelThatComesBackWithOtherSettingsTakesWhatTheseTake() {
        long small = memory.of(entry(MODEL, ofContext(512))).orElseThrow().total();
        long large = memory.of(entry(MODEL, ofContext(8192))).orElseThrow().total();
        assertTrue(large > small);
    }

    private static ModelSettings ofContext(int tokens) {
        return new ModelSettings(
                LoadPolicy.START,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.of(tokens),
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                ModelDefaults.NONE);
    }

    private CatalogEntry entry(byte[] model) throws IOException {
        return entry(Files.write(Files.createTempFile(folder, "model", ".gguf"), model), ModelSettings.NONE);
    }

    private static CatalogEntry entry(Path model, ModelSettings settings) {
        return new CatalogEntry(
                "tiny",
                List.of(),
                true,
                false,
                settings,
                new CatalogEntry.Source(List.of(model), Optional.empty()),
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
