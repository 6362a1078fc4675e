package dev.luq.catalog;

import jakarta.inject.Singleton;

/** The variants of the layer store in the data folder. */
@Singleton
class StoredVariants implements VariantStore {

    @Override
    public Variant find(String id) {
        throw new CatalogException.NotFound("There is no variant with the id " + id);
    }

    @Override
    public Lease lease(String id) {
        throw new CatalogException.NotFound("There is no variant with the id " + id);
    }
}
