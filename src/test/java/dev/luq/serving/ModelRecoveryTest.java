package dev.luq.serving;

import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogConfig;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.Variant;
import dev.luq.catalog.VariantStore;
import dev.luq.files.DataFolder;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model's file comes, breaks and comes back; with real processes. */
@Integration
class ModelRecoveryTest {

    private static final Path TINY = Path.of("src/test/resources/reference/llava-tiny-F16.gguf");
    private static final String HELLO = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

    @TempDir
    Path folder;

    private Supervisor supervisor;
    private ModelControl control;
    private ModelRecovery recovery;

    @AfterEach
    void stop() throws InterruptedException {
        recovery.stop(null);
        control.stop(null);
        supervisor.stop(null);
    }

    @Test
    void aMissingFileIsLookedForAgainAndATruncatedOneComesBack() throws IOException {
        Path file = folder.resolve("model.gguf");
        ModelWorker model = serve(file);
        assertEquals(ModelWorker.State.FAILED, model.state());
        assertTrue(model.failure().isPresent());

        Files.copy(TINY, file);
        until("ready", () -> model.state() == ModelWorker.State.READY);
        answer(run(model, WorkerClient.request(HELLO, 4)));

        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length / 2));
        // As by SIGBUS, but also where the part that is gone is in memory.
        ProcessHandle.of(model.pid().orElseThrow()).orElseThrow().destroyForcibly();
        until("failure", () -> model.state() == ModelWorker.State.FAILED);
        String reason = model.failure().orElseThrow();
        assertFalse(reason.contains(folder.toString()), reason);

        Files.write(file, whole);
        until("ready", () -> model.state() == ModelWorker.State.READY);
        answer(run(model, WorkerClient.request(HELLO, 4)));
    }

    private ModelWorker serve(Path file) {
        CatalogConfig models = new SmallRyeConfigBuilder()
                .withMapping(CatalogConfig.class)
                .withDefaultValue("luq.model", file.toString())
                .build()
                .getConfigMapping(CatalogConfig.class);
        WorkerConfig config = TestConfig.of(Map.of(
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
        VariantStore none = new NoVariants();
        Catalog catalog = new Catalog(models, new DataFolder(folder.resolve("data")), none);
        ServedMemory memory = new ServedMemory(config);
        supervisor = new Supervisor(catalog, none, config, () -> folder.resolve("data"), memory, List.of(), List.of());
        control = new ModelControl(catalog, supervisor, config, memory);
        recovery = new ModelRecovery(catalog, supervisor, control, config);
        supervisor.start(null);
        recovery.start(null);
        return supervisor.find(null).orElseThrow();
    }

    private static final class NoVariants implements VariantStore {
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
}
