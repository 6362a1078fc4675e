package dev.luq.requant.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.ModelFiles;
import dev.luq.requant.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {

    @TempDir
    Path directory;

    @Test
    void aFileIsReadOnceUntilItChanges() throws IOException {
        LayerStore store = LayerStore.open(directory.resolve("store"));
        Path file = Files.copy(TestModels.model(TestModels.LLAVA).paths().get(0), directory.resolve("base.gguf"));
        ModelFiles model = TestModels.read(file);
        AtomicLong read = new AtomicLong();

        Fingerprint first = Fingerprint.of(model, store, read::addAndGet);
        assertEquals(model.tensorBytes(), read.get());
        assertEquals(first, Fingerprint.of(model, LayerStore.open(directory.resolve("store")), read::addAndGet));
        assertEquals(model.tensorBytes(), read.get(), "the second time nothing was read");

        byte[] content = Files.readAllBytes(file);
        content[content.length - 40]++;
        Files.write(file, content);
        Fingerprint changed = Fingerprint.of(model, store, read::addAndGet);
        assertNotEquals(first.id(), changed.id());
        assertEquals(first.metadata(), changed.metadata());
        assertEquals(
                1,
                first.tensors().entrySet().stream()
                        .filter(tensor ->
                                !tensor.getValue().equals(changed.tensors().get(tensor.getKey())))
                        .count());
    }

    @Test
    void copiesAreEqualAndModelsAreNot() throws IOException {
        LayerStore store = LayerStore.open(directory.resolve("store"));
        ModelFiles model = TestModels.model(TestModels.QWEN);
        Path copy = Files.copy(model.paths().get(0), directory.resolve("copy.gguf"));
        String id = Fingerprint.of(model, store, bytes -> {}).id();

        assertEquals(
                id, Fingerprint.of(TestModels.read(copy), store, bytes -> {}).id());
        assertNotEquals(
                id,
                Fingerprint.of(TestModels.model(TestModels.LLAVA), store, bytes -> {})
                        .id());
        assertTrue(id.matches("[0-9a-f]{64}"));
    }
}
