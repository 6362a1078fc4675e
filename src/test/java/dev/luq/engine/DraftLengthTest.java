package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DraftLengthTest {

    private final DraftLength length = new DraftLength();

    @Test
    void longerMatchesDraftMore() {
        int before = 0;
        for (int matched = PromptLookup.SHORTEST; matched <= PromptLookup.COUNTED; matched++) {
            int now = length.of(matched, 100);
            assertTrue(now >= before && now > 0, "match of " + matched + ": " + now);
            before = now;
        }
        assertEquals(2, length.of(PromptLookup.COUNTED, 2), "never more than asked for");
    }

    @Test
    void acceptedDraftsGrowAndRefusedOnesShrink() {
        for (int i = 0; i < 20; i++) {
            length.verified(8, 8, 8);
        }
        assertTrue(length.of(8, 100) > 16, "" + length.of(8, 100));
        for (int i = 0; i < 8; i++) {
            length.verified(8, 4, 0);
        }
        assertEquals(0, length.of(8, 100));
    }

    @Test
    void whatIsRefusedForShortMatchesSaysNothingOfLongOnes() {
        int before = length.of(8, 100);
        length.verified(2, 1, 0);
        assertEquals(0, length.of(2, 100));
        assertEquals(before, length.of(8, 100));
    }

    @Test
    void textWithoutCopiesDraftsFewTokens() {
        int drafted = 0;
        for (int step = 0; step < 1000; step++) {
            int next = length.of(2, 8);
            if (next > 0) {
                drafted += next;
                length.verified(2, next, 0);
            }
        }
        assertTrue(drafted > 1 && drafted < 80, "" + drafted);
    }
}
