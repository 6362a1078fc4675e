package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Integration
class WaitingTest {

    @Test
    void aProgramsOutputIsReturnedWhenItSucceeds() throws IOException {
        assertArrayEquals("done\n".getBytes(StandardCharsets.UTF_8), Waiting.run(new ProcessBuilder("echo", "done")));
        assertArrayEquals(
                new byte[0],
                Waiting.run(new ProcessBuilder("echo", "done").redirectOutput(ProcessBuilder.Redirect.DISCARD)));
    }

    @Test
    void aProgramThatFailsEndsTheCommand() {
        assertEquals(
                "sh ended with status 3.",
                assertThrows(CliException.class, () -> Waiting.run(new ProcessBuilder("sh", "-c", "exit 3")))
                        .getMessage());
        assertThrows(IOException.class, () -> Waiting.run(new ProcessBuilder("/no/such/program")));
    }

    @Test
    void anInterruptEndsTheCommandAndStays() {
        Thread.currentThread().interrupt();
        assertThrows(CliException.class, () -> Waiting.sleep(Duration.ofMinutes(1)));
        assertTrue(Thread.interrupted());
    }

    @Test
    @Timeout(30)
    void anInterruptEndsTheProgramToo() {
        Set<ProcessHandle> before = ProcessHandle.current().children().collect(Collectors.toSet());
        Thread.currentThread().interrupt();
        assertThrows(
                CliException.class,
                () -> Waiting.run(new ProcessBuilder("sleep", "60").redirectOutput(ProcessBuilder.Redirect.DISCARD)));
        assertTrue(Thread.interrupted());
        ProcessHandle.current()
                .children()
                .filter(child -> !before.contains(child))
                .forEach(child -> child.onExit().join());
    }
}
