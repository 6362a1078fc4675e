package dev.luq.serving;

import dev.luq.catalog.CatalogException;
import dev.luq.catalog.Variant;
import dev.luq.catalog.VariantStore;
import java.util.List;

/** A store of a server that never re-quantized anything. */
class NoVariants implements VariantStore {

    @Override
    public Variant find(String id) {
        throw new CatalogException.NotFound("There is no variant " + id);
    }

    @Override
    public List<Variant> all() {
        return List.of();
    }

    @Override
    public Lease lease(String id) {
        throw new CatalogException.NotFound("There is no variant " + id);
    }

    @Override
    public void delete(String id) {
        throw new CatalogException.NotFound("There is no variant " + id);
    }
}
