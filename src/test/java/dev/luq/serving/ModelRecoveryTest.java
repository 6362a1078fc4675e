package dev.luq.serving;

import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.LoggedLines;
import dev.luq.catalog.Variant;
import dev.luq.catalog.VariantStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
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

    private ServedModels models;
    private ModelRecovery recovery;

    @AfterEach
    void stop() throws InterruptedException {
        recovery.stop(null);
        models.close();
    }

    @Test
    void aMissingFileIsLookedForAgainAndATruncatedOneComesBack() throws IOException {
        Path file = folder.resolve("model.gguf");
        ModelWorker model = serve(file, new NoVariants());
        recover();
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

    /** An administrator asks for something at the wrong moment. */
    @Test
    void aModelIsTriedAgainWhenSomethingElseWasDoneWithIt() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch refused = new CountDownLatch(1);
        VariantStore slow = new NoVariants() {
            @Override
            public Variant find(String id) {
                asked.countDown();
                reached("the recovery to be refused", refused);
                return super.find(id);
            }
        };
        Path file = folder.resolve("model.gguf");
        try (LoggedLines log = new LoggedLines(ModelRecovery.class.getName())) {
            ModelWorker model = serve(file, slow);
            Files.copy(TINY, file);
            models.control.activate(model.modelId(), Optional.of("other"), SwapMode.AUTO);
            reached("the activation", asked);
            recover();
            until("the refusal", () -> log.lines().stream().anyMatch(line -> line.contains("already")));
            refused.countDown();
            until("ready", () -> model.state() == ModelWorker.State.READY);
        }
    }

    private ModelWorker serve(Path file, VariantStore variants) {
        models = new ServedModels(folder, Map.of("luq.model", file.toString()), variants);
        return models.supervisor.find(null).orElseThrow();
    }

    private void recover() {
        recovery = new ModelRecovery(models.catalog, models.supervisor, models.control, models.config);
        recovery.start(null);
    }
}
