package dev.luq.catalog;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreException;
import dev.luq.requant.store.StoreLease;
import dev.luq.requant.store.StoredModel;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jboss.logging.Logger;

/** The variants of the layer store in the data folder. */
@Singleton
public class StoredVariants implements VariantStore {

    private static final Logger LOG = Logger.getLogger(StoredVariants.class);

    private final Path root;

    @Inject
    StoredVariants(DataConfig config) {
        this.root = new DataFolder(config.dataDir()).store();
    }

    @Override
    public Variant find(String id) {
        return inStore(id, store -> variant(store, manifest(store, id)));
    }

    @Override
    public List<Variant> all() {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        return inStore("all", store -> {
            List<Variant> variants = new ArrayList<>();
            for (Manifest manifest : store.manifests()) {
                try {
                    variants.add(variant(store, manifest));
                } catch (StoreException.Damaged e) {
                    LOG.warnf("Variant %s is left out: %s", manifest.id(), e.getMessage());
                }
            }
            return variants;
        });
    }

    @Override
    public Lease lease(String id) {
        return inStore(id, store -> {
            try {
                StoreLease lease = store.lease(id);
                return lease::close;
            } catch (IOException e) {
                manifest(store, id);
                LOG.warnf(
                        "Variant %s is served without a lease, as the store takes no file or lock: other processes may"
                                + " delete it (%s)",
                        id, e.getMessage());
                return () -> {};
            }
        });
    }

    @Override
    public void delete(String id) {
        inStore(id, store -> {
            manifest(store, id);
            store.delete(id);
            return store.collectGarbage();
        });
    }

    private static Manifest manifest(LayerStore store, String id) throws IOException {
        return store.manifest(id).orElseThrow(() -> notFound(id));
    }

    private static Variant variant(LayerStore store, Manifest manifest) {
        StoredModel files = store.files(manifest);
        return new Variant(
                manifest.id(),
                manifest.baseName(),
                manifest.created(),
                files.splits(),
                files.mmproj(),
                manifest.budget(),
                manifest.bytes(),
                manifest.plan(),
                manifest.quality());
    }

    private static CatalogException.NotFound notFound(String id) {
        return new CatalogException.NotFound("There is no variant with the id " + id);
    }

    /** What is done with the store. */
    private interface Access<T> {
        T with(LayerStore store) throws IOException;
    }

    private <T> T inStore(String id, Access<T> access) {
        // A store is not made by looking for something in it.
        if (!Files.isDirectory(root)) {
            throw notFound(id);
        }
        try {
            return access.with(LayerStore.open(root));
        } catch (StoreException.NotFound | StoreException.InvalidId e) {
            throw notFound(id);
        } catch (StoreException.InUse e) {
            throw new CatalogException.Conflict(e.getMessage());
        } catch (StoreException e) {
            throw new CatalogException.InvalidModel(e.getMessage(), e);
        } catch (IOException e) {
            LOG.errorf(e, "The store in %s cannot be used", root);
            throw new CatalogException.InvalidModel(
                    "The store cannot be read or written; the server's log says why.", e);
        }
    }
}
