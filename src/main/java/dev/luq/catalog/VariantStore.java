package dev.luq.catalog;

/** Where the variants of models lie. Thread-safe. */
public interface VariantStore {

    /** Keeps the files of a variant from being deleted until it is closed. */
    interface Lease extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * @throws CatalogException.NotFound when there is none with this id
     * @throws CatalogException.InvalidModel when its files are not whole
     */
    Variant find(String id);

    /** @throws CatalogException.NotFound when there is none with this id */
    Lease lease(String id);
}
