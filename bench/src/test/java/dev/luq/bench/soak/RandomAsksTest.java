package dev.luq.bench.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the clients of a soak ask. */
class RandomAsksTest {

    private static final Pictures PICTURES = new Pictures(1);

    @Test
    void theSameSeedAsksTheSame() {
        RandomAsks asks = new RandomAsks(5, PICTURES);
        RandomAsks again = new RandomAsks(5, new Pictures(1));
        RandomAsks others = new RandomAsks(6, PICTURES);
        boolean different = false;
        for (int i = 0; i < 300; i++) {
            Ask ask = asks.next();
            Ask same = again.next();
            assertEquals(ask.kind(), same.kind());
            assertArrayEquals(ask.head(), same.head());
            assertArrayEquals(ask.body(), same.body());
            different |= !Arrays.equals(ask.body(), others.next().body());
        }
        assertTrue(different);
    }

    @Test
    void everyKindIsAsked() {
        RandomAsks asks = new RandomAsks(1, PICTURES);
        Set<Kind> asked = EnumSet.noneOf(Kind.class);
        for (int i = 0; i < 1_000; i++) {
            Ask ask = asks.next();
            asked.add(ask.kind());
            assertFalse(ask.head().length == 0);
        }
        assertEquals(EnumSet.allOf(Kind.class), asked);
    }
}
