package dev.luq.catalog;

import java.util.List;

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

    /** All whose files are whole, by id. */
    List<Variant> all();

    /**
     * Where the disk takes no lease, one that keeps nothing.
     *
     * @throws CatalogException.NotFound when there is none with this id
     * @throws CatalogException.InvalidModel when the store cannot be read
     */
    Lease lease(String id);

    /**
     * Deletes a variant and the files that no other one shares.
     *
     * @throws CatalogException.NotFound when there is none with this id
     * @throws CatalogException.Conflict when it is leased
     */
    void delete(String id);
}
