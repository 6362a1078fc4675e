package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
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

    private static final String LAUNCHER = "luq.launcher";
    private static final String DATA = "-Dluq.data-dir=";

    @TempDir
    Path folder;

    private Path model;

    /** A launcher that notes how it was called, and starts no server. */
    @BeforeEach
    void launcher() throws IOException {
        model = folder.resolve("tiny.gguf");
        new ModelSynthesizer(ModelSynthesizer.Shape.tiny(), 1).write(model);
        Path launcher = Files.writeString(
                folder.resolve("luq"),
                "#!/bin/sh\nprintf '%s\\n' \"$@\" > '" + folder.resolve("called") + "'\nexit 3\n");
        assertTrue(launcher.toFile().setExecutable(true));
        System.setProperty(LAUNCHER, launcher.toString());
    }

    @AfterEach
    void forget() {
        System.clearProperty(LAUNCHER);
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
        List<String> options = Files.readAllLines(folder.resolve("called"));
        assertTrue(options.contains("-Dluq.model-id=tiny"), options.toString());
        Path data = options.stream()
                .filter(option -> option.startsWith(DATA))
                .map(option -> Path.of(option.substring(DATA.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError(options.toString()));
        assertFalse(Files.exists(data), "it goes with the measurement");
    }
}
