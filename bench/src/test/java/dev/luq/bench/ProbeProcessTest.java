package dev.luq.bench;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.CliException;
import dev.luq.gguf.GgmlType;
import dev.luq.machine.Kernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class ProbeProcessTest {

    private static final int PROMPT = 250;
    private static final int TOKENS = 5;

    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void write() throws IOException {
        model = folder.resolve("tiny.gguf");
        new ModelSynthesizer(new ModelSynthesizer.Shape(2, 256, 1300, GgmlType.Q4_K), 1).write(model);
    }

    /** The KV cache has room for one turn, up to the next multiple of 256 tokens. */
    @Test
    void everyTurnDecodesAtTheSameDepth() throws Exception {
        try (ProbeProcess probe = start()) {
            assertTrue(probe.load() > 0);
            for (int prompt = 0; prompt < 2; prompt++) {
                assertTrue(probe.prefill() > 0);
                for (int turn = 0; turn < 3; turn++) {
                    assertTrue(probe.decode(TOKENS) > 0);
                }
            }
            assertTrue(probe.resident() > Files.size(model));
        }
    }

    @Test
    void allThreadsSleepBetweenTurns() throws Exception {
        try (ProbeProcess probe = start()) {
            probe.prefill();
            probe.decode(TOKENS);
            Path process = Path.of("/proc", Long.toString(probe.pid()));
            assertTrue(Files.readString(process.resolve("environ")).contains("GOMP_SPINCOUNT="), "as a worker's");
            until("all threads to sleep", () -> states(process).stream().allMatch("S"::equals));
        }
    }

    @Test
    void aProcessEndsWhenItIsClosed() throws Exception {
        ProbeProcess probe = start();
        probe.close();
        assertFalse(ProcessHandle.of(probe.pid()).isPresent());
    }

    @Test
    void aFileThatIsNoModelIsSaidByName() throws Exception {
        Path broken = Files.writeString(folder.resolve("broken.gguf"), "no model");
        CliException e = assertThrows(CliException.class, () -> new ProbeProcess(broken, Kernels.STOCK, 1, 8, 1));
        assertEquals("The process that measures broken.gguf ended (exit code 1): why is said above.", e.getMessage());
    }

    private static ProbeProcess start() throws IOException {
        return new ProbeProcess(model, Kernels.FAST, 2, PROMPT, TOKENS);
    }

    /** Of each thread: R runs, S sleeps (proc(5)). */
    private static List<String> states(Path process) {
        try (Stream<Path> threads = Files.list(process.resolve("task"))) {
            return threads.map(thread -> state(thread.resolve("stat"))).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String state(Path stat) {
        try {
            String line = Files.readString(stat);
            int name = line.lastIndexOf(')');
            return line.substring(name + 2, name + 3);
        } catch (IOException e) {
            return "S";
        }
    }
}
