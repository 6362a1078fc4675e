package dev.luq.bench;

import static dev.luq.Until.ended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class TemporaryFolderTest {

    @TempDir
    Path parent;

    /** A measurement that is still at it when it is ended. */
    static final class Measurement {
        public static void main(String[] arguments) throws Exception {
            try (TemporaryFolder folder = TemporaryFolder.in(Path.of(arguments[0]))) {
                Files.writeString(Files.createDirectory(folder.resolve("store")).resolve("model.gguf"), "weights");
                System.out.println(folder.path());
                Thread.sleep(TimeUnit.MINUTES.toMillis(1));
            }
        }
    }

    @Test
    void closingDeletesAllThatIsInIt() throws IOException {
        try (TemporaryFolder folder = TemporaryFolder.in(parent)) {
            Files.writeString(folder.resolve("model.gguf"), "weights");
            assertTrue(Files.isDirectory(folder.path()));
        }
        assertTrue(isEmpty());
    }

    @Test
    void aSignalLeavesNothingBehind() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Measurement.class.getName(),
                        parent.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var output = process.inputReader(StandardCharsets.UTF_8)) {
            Path folder = Path.of(output.readLine());
            assertEquals(parent, folder.getParent());
            assertFalse(isEmpty());
            process.destroy();
            ended("the process that was told to end", process);
        } finally {
            process.destroyForcibly();
        }
        assertTrue(isEmpty());
    }

    private boolean isEmpty() throws IOException {
        try (var entries = Files.list(parent)) {
            return entries.findAny().isEmpty();
        }
    }
}
