package dev.luq.bench.soak;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the system tells of a process. */
@Integration
class VitalsTest {

    @Test
    void aProcessIsMeasured() {
        Vitals before = Vitals.of(ProcessHandle.current()).orElseThrow();
        assertTrue(before.resident() > 1 << 20 && before.threads() > 1 && before.zombies() == 0, before.toString());
        assertTrue(before.descriptors() > 2, before.toString());
    }

    /** A shell that becomes another program does not wait for the child that it had. */
    @Test
    void aChildThatEndedAndIsNotTakenNoticeOfIsSeen() throws Exception {
        Process parent = new ProcessBuilder("sh", "-c", "true & exec sleep 60").start();
        try {
            until(
                    "the zombie",
                    () -> Vitals.of(parent.toHandle()).map(Vitals::zombies).orElse(0) == 1);
            assertEquals(1, Vitals.of(parent.toHandle()).orElseThrow().children());
        } finally {
            parent.destroyForcibly().waitFor();
        }
        assertEquals(Optional.empty(), Vitals.of(parent.toHandle()));
    }
}
