package dev.luq.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.worker.protocol.Sampling;
import dev.luq.worker.protocol.ServerFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuarantineTest {

    private final Quarantine quarantine = new Quarantine(3);

    @Test
    void anInputIsRefusedAfterTheSecondDeath() {
        quarantine.blame("a");
        assertFalse(quarantine.refuses("a"));
        quarantine.blame("a");
        assertTrue(quarantine.refuses("a"));
        assertFalse(quarantine.refuses("b"));
    }

    @Test
    void anInputThatIsAnsweredIsInnocent() {
        quarantine.blame("a");
        quarantine.acquit("a");
        quarantine.blame("a");
        assertFalse(quarantine.refuses("a"));
    }

    @Test
    void theInputsBlamedLongestAgoAreForgotten() {
        quarantine.blame("a");
        for (String other : List.of("b", "c")) {
            quarantine.blame(other);
        }
        quarantine.blame("a");
        quarantine.blame("d");
        quarantine.blame("b");
        assertTrue(quarantine.refuses("a"));
        assertFalse(quarantine.refuses("b"), "its first death is forgotten");
    }

    @Test
    void theKeyIsOfTheContentOnly() {
        String key = Quarantine.key(request("1", "hello", "aa", 1L));
        assertEquals(key, Quarantine.key(request("2", "hello", "aa", 2L)));
        assertNotEquals(key, Quarantine.key(request("1", "hello!", "aa", 1L)));
        assertNotEquals(key, Quarantine.key(request("1", "hello", "bb", 1L)));
    }

    private static ServerFrame.Generate request(String id, String messages, String image, long seed) {
        return new ServerFrame.Generate(id, messages, List.of(new ServerFrame.Image(1, 1, image, new byte[3])), null,
                null, false, null, new Sampling(1, 1, 0, 0, 0, 0, 1, seed, java.util.Map.of()), 0, List.of(), -1, true);
    }
}
