package dev.luq.catalog;

import dev.luq.files.DataFolder;
import java.util.Optional;

/** Which variant of a model a server serves from its next start on. For commands that run beside no server. */
public final class ActiveVariants {

    private ActiveVariants() {}

    /**
     * Takes effect when a server starts. A running one does not look: it is told through its admin API.
     *
     * @param data the server's {@code luq.data-dir}
     * @param variant id of a manifest in its store; empty for the model's base files
     * @throws CatalogException.Misconfigured when the catalogue there cannot be understood
     * @throws CatalogException.NotSaved when the disk does not take it
     */
    public static void set(DataFolder data, String modelId, Optional<String> variant) {
        CatalogState.update(data, state -> state.with(modelId, model -> model.withVariant(variant.orElse(null))));
    }
}
