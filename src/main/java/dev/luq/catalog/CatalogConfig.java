package dev.luq.catalog;

import dev.luq.machine.Kernels;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which models are served. One model is named by {@code luq.model}, several by {@code luq.models."id".*}; without
 * either, the demo model is served.
 */
@ConfigMapping(prefix = "luq")
public interface CatalogConfig {

    /** Path of the GGUF to serve; of a split model, its first part. */
    Optional<Path> model();

    /** Path of the vision projector that belongs to it; the model reads only text without one. */
    Optional<Path> mmproj();

    /** Its id in the API; the file's name without its ending unless set. */
    Optional<String> modelId();

    /** Folder of the demo model, served when no model is configured. */
    @WithDefault("models/demo")
    Path demoDir();

    /** Models by their id in the API. */
    Map<String, Model> models();

    /** One model. */
    interface Model {

        /** Path of the GGUF; of a split model, its first part. */
        Path model();

        /** Path of the vision projector that belongs to it; the model reads only text without one. */
        Optional<Path> mmproj();

        /** What multiplies its weights, {@code fast}, {@code compact} or {@code stock}; {@code luq.worker.kernels} unless set. */
        Optional<Kernels> kernels();

        /** Further names of the model in the API. */
        Optional<List<String>> aliases();

        /** Whether requests that name no model get this one; the first id of the alphabet unless one is set. */
        @WithName("default")
        @WithDefault("false")
        boolean isDefault();
    }
}
