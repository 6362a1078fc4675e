package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuarantineTest {

    private long now;
    private final Quarantine quarantine = new Quarantine(3, 60, () -> now);

    @Test
    void anInputThatWasWorkedOnAtACrashIsIsolatedHoweverOften() {
        for (int crash = 0; crash < 5; crash++) {
            quarantine.crashed("a", false);
            assertTrue(quarantine.isolates("a"));
            assertFalse(quarantine.refuses("a"));
        }
        assertFalse(quarantine.isolates("b"));
    }

    @Test
    void anInputThatCrashesAWorkerAloneIsRefusedAlsoAfterACrashBesideOthers() {
        quarantine.crashed("a", false);
        quarantine.crashed("a", true);
        assertTrue(quarantine.refuses("a"));
        assertFalse(quarantine.isolates("a"));
        quarantine.crashed("a", false);
        assertTrue(quarantine.refuses("a"));
        assertFalse(quarantine.refuses("b"));
    }

    @Test
    void anInputThatIsAnsweredIsForgotten() {
        quarantine.crashed("a", false);
        quarantine.answered("a");
        assertFalse(quarantine.isolates("a"));
    }

    @Test
    void allIsForgottenAfterAWhile() {
        quarantine.crashed("a", true);
        quarantine.crashed("b", false);
        now = 59;
        assertTrue(quarantine.refuses("a"));
        assertTrue(quarantine.isolates("b"));
        now = 60;
        assertFalse(quarantine.refuses("a"));
        assertFalse(quarantine.isolates("b"));
    }

    @Test
    void theInputsOfTheOldestCrashesAreForgotten() {
        for (String key : List.of("a", "b", "c", "a", "d")) {
            quarantine.crashed(key, false);
        }
        assertTrue(quarantine.isolates("a"));
        assertFalse(quarantine.isolates("b"));
    }

    @Test
    void theKeyIsOfTheContentOnly() {
        String key = Quarantine.key(request("1", "hello", "aa", 1L));
        assertEquals(key, Quarantine.key(request("2", "hello", "aa", 2L)));
        assertNotEquals(key, Quarantine.key(request("1", "hello!", "aa", 1L)));
        assertNotEquals(key, Quarantine.key(request("1", "hello", "bb", 1L)));
    }

    private static ServerFrame.Generate request(String id, String chat, String image, long seed) {
        return new ServerFrame.Generate(
                id,
                chat,
                List.of(new ServerFrame.Image(1, 1, image, new byte[3])),
                new Sampling(1, 1, 0, 0, 0, 0, 1, seed, java.util.Map.of(), false),
                0,
                List.of(),
                -1,
                true);
    }
}
