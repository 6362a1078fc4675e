package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.NotedLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is in the user's data folder, and which models are configured, changes no measurement. */
@Integration
class OwnDataFolderTest {

    private static final String DATA = "-Dluq.data-dir=";

    @TempDir
    Path folder;

    private Path model;
    private NotedLauncher launcher;

    @BeforeEach
    void launcher() throws IOException {
        model = folder.resolve("tiny.gguf");
        new ModelSynthesizer(ModelSynthesizer.Shape.tiny(), 1).write(model);
        launcher = new NotedLauncher(folder);
    }

    @AfterEach
    void forget() {
        launcher.close();
    }

    @Test
    void memoryIsMeasuredInOneThatIsEmptyAndOfTheModelThatWasGiven() throws IOException {
        assertServedAlone("memory", "--model", model.toString());
    }

    @Test
    void decodingIsMeasuredInOneThatIsEmptyAndOfTheModelThatWasGiven() throws IOException {
        assertServedAlone("decode", "--model", model.toString(), "--llama-bench", "none");
    }

    private void assertServedAlone(String... command) throws IOException {
        assertEquals(1, BenchCommand.commandLine().execute(command));
        List<String> options = launcher.options();
        assertTrue(options.contains("-Dluq.model-id=tiny"), options.toString());
        Path data = options.stream()
                .filter(option -> option.startsWith(DATA))
                .map(option -> Path.of(option.substring(DATA.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError(options.toString()));
        assertFalse(Files.exists(data), "it goes with the measurement");
    }
}
