package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.BusyProcess;
import dev.luq.Integration;
import dev.luq.cli.Waiting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class TemporaryFolderTest {

    @TempDir
    Path parent;

    /** A measurement that is still at it when it is ended. */
    static final class Measurement {
        public static void main(String[] arguments) throws Exception {
            try (TemporaryFolder folder = TemporaryFolder.in(Path.of(arguments[0]))) {
                Files.writeString(Files.createDirectory(folder.resolve("store")).resolve("model.gguf"), "weights");
                System.out.println("!" + folder.path());
                Thread.sleep(TimeUnit.MINUTES.toMillis(1));
            }
        }
    }

    /** A measurement whose server goes on writing for a while when it is ended. */
    static final class SlowServer {
        public static void main(String[] arguments) throws Exception {
            AtomicBoolean ended = new AtomicBoolean();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                Waiting.sleep(Duration.ofSeconds(1));
                ended.set(true);
            }));
            try (TemporaryFolder folder = TemporaryFolder.in(Path.of(arguments[0]))) {
                Path store = Files.createDirectory(folder.resolve("store"));
                System.out.println("!" + folder.path());
                for (int i = 0; !ended.get(); i++) {
                    Files.createFile(store.resolve(Integer.toString(i)));
                }
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

    @ParameterizedTest
    @ValueSource(classes = {Measurement.class, SlowServer.class})
    void aSignalLeavesNothingBehind(Class<?> measurement) throws Exception {
        try (BusyProcess process = BusyProcess.start(measurement, parent.toString())) {
            Path folder = Path.of(
                    process.process().inputReader(StandardCharsets.UTF_8).readLine());
            assertEquals(parent, folder.getParent());
            assertFalse(isEmpty());
            process.end();
        }
        assertTrue(isEmpty());
    }

    private boolean isEmpty() throws IOException {
        try (var entries = Files.list(parent)) {
            return entries.findAny().isEmpty();
        }
    }
}
