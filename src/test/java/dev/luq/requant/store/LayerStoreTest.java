package dev.luq.requant.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerStoreTest {

    private static final int BYTES = 10_000;

    @TempDir
    Path root;

    private LayerStore store;

    @BeforeEach
    void open() throws IOException {
        store = LayerStore.open(root);
    }

    @Test
    void whatIsPublishedIsFound() throws IOException {
        assertEquals(Optional.empty(), store.manifest("demo"));
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        store.publish(manifest);

        LayerStore reopened = LayerStore.open(root);
        assertEquals(Optional.of(manifest), reopened.manifest("demo"));
        assertEquals(List.of(manifest), reopened.manifests());
        StoredModel files = reopened.files(manifest);
        assertEquals(4, ModelFiles.of(files.splits()).parts().size());
        assertEquals(Optional.empty(), files.mmproj());
        reopened.verify(manifest);
        assertEquals(files.splits().stream().mapToLong(this::size).sum(), manifest.bytes());
    }

    @Test
    void layersAreShared() throws IOException {
        Manifest one = StoredModels.write(store, "one", 1, BYTES);
        Manifest two = StoredModels.write(store, "two", 2, BYTES);
        assertEquals(one.entries().get(0), two.entries().get(0));
        assertEquals(7, gguf());
    }

    @Test
    void anEntryIsWrittenOnce() throws IOException {
        Manifest.Entry entry = StoredModels.entry(store, 1, 1, BYTES);
        assertEquals(Optional.of(entry), store.entry(entry.key()));
        assertEquals(entry, store.write(entry.key(), Map.of(), List.of(), writer -> {
            throw new IOException("it is there");
        }));
    }

    @Test
    void anEntryWithoutSealIsWrittenAnew() throws IOException {
        Manifest.Entry entry = StoredModels.entry(store, 1, 1, BYTES);
        Path data = store.path(entry.key());
        Files.delete(root.resolve("entries").resolve(entry.key().hex() + ".json"));
        Files.write(data, new byte[3]);
        assertEquals(Optional.empty(), store.entry(entry.key()));
        assertEquals(entry, StoredModels.entry(store, 1, 1, BYTES));
        assertEquals(1, Gguf.read(data).tensors().size());
    }

    @Test
    void whatFailsLeavesNothing() throws IOException {
        EntryKey key = StoredModels.key(1, 1);
        assertThrows(
                IllegalStateException.class,
                () -> store.write(key, Map.of(), List.of(), writer -> {
                    throw new IllegalStateException("body");
                }));
        assertEquals(Set.of(), names("entries"));
    }

    @Test
    void publishingTwiceIsOnceAndAnIdIsTakenForGood() throws IOException {
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        store.publish(manifest);
        store.publish(manifest);
        Manifest other = StoredModels.write(store, "demo", 2, BYTES);
        assertThrows(StoreException.Conflict.class, () -> store.publish(other));
        assertEquals(Optional.of(manifest), store.manifest("demo"));
    }

    @Test
    void aManifestNeedsItsEntries() throws IOException {
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        Files.delete(store.path(manifest.entries().get(2).key()));
        assertThrows(StoreException.Damaged.class, () -> store.publish(manifest));
        assertEquals(Optional.empty(), store.manifest("demo"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "ä", "building~x"})
    void idsAreNoPaths(String id) {
        assertThrows(StoreException.InvalidId.class, () -> store.manifest(id));
        assertThrows(StoreException.InvalidId.class, () -> store.delete(id));
        assertThrows(StoreException.InvalidId.class, () -> store.lease(id));
    }

    @Test
    void damageIsFoundAndMended() throws IOException {
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        store.publish(manifest);
        Path layer = store.files(manifest).splits().get(2);
        byte[] content = Files.readAllBytes(layer);
        content[content.length - 1]++;
        Files.write(layer, content);

        store.files(manifest);
        assertTrue(store.isWhole(manifest), "nobody has looked into the file yet");
        assertThrows(StoreException.Damaged.class, () -> store.verify(manifest));
        assertFalse(store.isWhole(manifest));
        assertEquals(
                manifest.entries(), StoredModels.write(store, "demo", 1, BYTES).entries());
        store.verify(manifest);
        assertTrue(store.isWhole(manifest));

        Files.write(layer, new byte[1], StandardOpenOption.APPEND);
        assertFalse(store.isWhole(manifest));
        StoreException e = assertThrows(StoreException.Damaged.class, () -> store.files(manifest));
        assertFalse(e.getMessage().contains(root.toString()), e.getMessage());
    }

    @Test
    void manifestsOfLaterVersionsAndForeignFilesAreNotTakenForOurs() throws IOException {
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        store.publish(manifest);
        Path file = root.resolve("manifests").resolve("demo.json");
        Files.writeString(file, Files.readString(file).replace("\"version\" : 1", "\"version\" : 2"));
        assertThrows(StoreException.Unsupported.class, () -> store.manifest("demo"));
        assertEquals(List.of(), store.manifests());
        Files.writeString(file, "{");
        assertThrows(StoreException.Damaged.class, () -> store.manifest("demo"));
        assertEquals(0, store.collectGarbage(), "what an unreadable manifest needs is unknown");
        assertEquals(4, gguf());
    }

    @Test
    void garbageIsWhatNoManifestNames() throws IOException {
        Manifest one = StoredModels.write(store, "one", 1, BYTES);
        Manifest two = StoredModels.write(store, "two", 2, BYTES);
        store.publish(one);
        store.publish(two);
        Files.write(root.resolve("entries").resolve(".x.gguf.1.tmp"), new byte[100]);
        assertEquals(100, store.collectGarbage());

        store.delete("two");
        assertTrue(store.collectGarbage() >= 3 * BYTES);
        assertEquals(4, gguf());
        store.verify(one);
        assertThrows(StoreException.NotFound.class, () -> store.delete("two"));
    }

    @Test
    void whatIsLeasedStays() throws IOException {
        Manifest manifest = StoredModels.write(store, "demo", 1, BYTES);
        store.publish(manifest);
        assertThrows(StoreException.NotFound.class, () -> store.lease("other"));
        try (StoreLease lease = LayerStore.open(root).lease("demo")) {
            assertThrows(StoreException.InUse.class, () -> store.delete("demo"));
            lease.close();
            lease.close();
        }
        store.delete("demo");
        assertEquals(Set.of(), names("leases"));
    }

    @Test
    void aLeaseThatCannotBeRemovedEndsAllTheSame() throws IOException {
        store.publish(StoredModels.write(store, "demo", 1, BYTES));
        StoreLease lease = store.lease("demo");
        Path file = root.resolve("leases").resolve(names("leases").iterator().next());
        Files.delete(file);
        Path inIt = Files.createDirectories(file.resolve("taken"));
        lease.close();
        Files.delete(inIt);
        Files.delete(file);
        Files.createFile(file);
        store.delete("demo");
        assertEquals(Set.of(), names("leases"));
    }

    @Test
    void whileAModelIsBeingMadeNothingIsCollectedButAfterwards() throws IOException {
        try (StoreLease lease = store.build();
                StoreLease second = LayerStore.open(root).build()) {
            StoredModels.write(store, "demo", 1, BYTES);
            assertEquals(0, store.collectGarbage());
            lease.close();
            assertEquals(0, store.collectGarbage());
            assertNotEquals(Set.of(), names("entries"), "another one is being made");
        }
        assertEquals(Set.of(), names("entries"));
        assertEquals(0, store.collectGarbage());
    }

    @Test
    void whatNobodyAskedToCollectStaysForTheNextBudget() throws IOException {
        try (StoreLease lease = store.build()) {
            StoredModels.write(store, "demo", 1, BYTES);
        }
        assertNotEquals(Set.of(), names("entries"));
    }

    @Test
    void aLeaseOfADeadProcessIsNone() throws IOException {
        Files.createFile(root.resolve("leases").resolve(".building~left-over.lease"));
        StoredModels.write(store, "demo", 1, BYTES);
        assertTrue(store.collectGarbage() > 0);
        assertEquals(Set.of(), names("leases"));
    }

    @Test
    void aModelMayHaveAnyName() throws IOException {
        store.publish(StoredModels.write(store, "building", 1, BYTES));
        store.publish(StoredModels.write(store, "other", 2, BYTES));
        try (StoreLease lease = store.lease("building")) {
            store.delete("other");
            assertTrue(store.collectGarbage() > 0);
        }
    }

    private long gguf() throws IOException {
        return names("entries").stream().filter(name -> name.endsWith(".gguf")).count();
    }

    private Set<String> names(String folder) throws IOException {
        try (Stream<Path> files = Files.list(root.resolve(folder))) {
            return new TreeSet<>(
                    files.map(file -> file.getFileName().toString()).toList());
        }
    }

    private long size(Path file) {
        return file.toFile().length();
    }
}
