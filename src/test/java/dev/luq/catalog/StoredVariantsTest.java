package dev.luq.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.files.DataFolder;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.StoredModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredVariantsTest {

    @TempDir
    Path data;

    private Path root;
    private StoredVariants variants;

    @BeforeEach
    void publish() throws IOException {
        root = new DataFolder(data).store();
        variants = new StoredVariants(() -> data);
        LayerStore store = LayerStore.open(root);
        store.publish(StoredModels.write(store, "low", 1, 100));
    }

    @Test
    void whatIsLeasedIsNotDeleted() {
        VariantStore.Lease lease = variants.lease("low");
        assertThrows(CatalogException.Conflict.class, () -> variants.delete("low"));
        lease.close();
        variants.delete("low");
        assertEquals(List.of(), variants.all());
    }

    /** As on a disk that was mounted to be read alone. */
    @Test
    void aStoreThatTakesNoLeaseStillHasItsVariants() throws IOException {
        Files.deleteIfExists(root.resolve("lock"));
        Files.createDirectory(root.resolve("lock"));
        variants.lease("low").close();
        assertThrows(CatalogException.NotFound.class, () -> variants.lease("other"));
        Files.writeString(root.resolve("manifests").resolve("low.json"), "{");
        assertThrows(CatalogException.InvalidModel.class, () -> variants.lease("low"));
    }
}
