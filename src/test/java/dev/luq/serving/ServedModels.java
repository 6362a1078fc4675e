package dev.luq.serving;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogConfig;
import dev.luq.catalog.VariantStore;
import dev.luq.files.DataFolder;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadFactory;

/** The models of a configuration with real processes, as in a server; all of them end with this. */
final class ServedModels implements AutoCloseable {

    final WorkerConfig config;
    final Catalog catalog;
    final Supervisor supervisor;
    final ModelControl control;

    /**
     * @param folder takes {@code data} and {@code crashes}
     * @param models configuration of the catalogue
     * @param threads of the operations
     */
    ServedModels(Path folder, Map<String, String> models, VariantStore variants, ThreadFactory threads) {
        config = TestConfig.of(Map.of(
                "file-check-interval",
                "0.2S",
                "restart.back-off",
                "0.1S",
                "context-size",
                "512",
                "threads",
                "1",
                "process.crash-dir",
                folder.resolve("crashes").toString()));
        catalog = catalog(folder, models, variants);
        ServedMemory memory = new ServedMemory(config);
        supervisor = new Supervisor(catalog, variants, config, () -> data(folder), memory, List.of(), List.of());
        control = new ModelControl(catalog, supervisor, config, memory, threads);
        supervisor.start(null);
    }

    ServedModels(Path folder, Map<String, String> models, VariantStore variants) {
        this(folder, models, variants, Thread::new);
    }

    static Catalog catalog(Path folder, Map<String, String> models, VariantStore variants) {
        SmallRyeConfigBuilder configured = new SmallRyeConfigBuilder().withMapping(CatalogConfig.class);
        models.forEach(configured::withDefaultValue);
        return new Catalog(
                configured.build().getConfigMapping(CatalogConfig.class), new DataFolder(data(folder)), variants);
    }

    private static Path data(Path folder) {
        return folder.resolve("data");
    }

    ModelWorker model(String id) {
        return supervisor.routeOf(id);
    }

    @Override
    public void close() throws InterruptedException {
        control.stop(null);
        supervisor.stop(null);
    }
}
