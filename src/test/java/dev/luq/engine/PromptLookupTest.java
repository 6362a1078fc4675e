package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptLookupTest {

    private final PromptLookup lookup = new PromptLookup(1024);

    private void text(int... tokens) {
        for (int token : tokens) {
            lookup.append(token);
        }
    }

    @Test
    void newTextIsNotDrafted() {
        text(1, 2, 3, 4, 5, 1, 3);
        assertEquals(0, lookup.matched());
        assertArrayEquals(new int[0], lookup.draft(8));
    }

    @Test
    void twoTokensThatCameBeforeGoOnAsTheyDid() {
        text(1, 2, 3, 4, 5, 9, 2, 3);
        assertEquals(2, lookup.matched());
        assertArrayEquals(new int[] {4, 5}, lookup.draft(2));
    }

    @Test
    void threeTokensCountMoreThanTheLatestTwo() {
        text(1, 2, 3, 40, 9, 2, 3, 50, 1, 2, 3);
        assertEquals(3, lookup.matched());
        assertArrayEquals(new int[] {40}, lookup.draft(1));
    }

    @Test
    void ofEqualPlacesTheLatestIsTaken() {
        text(2, 3, 40, 2, 3, 50, 2, 3);
        assertArrayEquals(new int[] {50}, lookup.draft(1));
    }

    @Test
    void aMatchStaysWhereItIsWhileTheTokensAgree() {
        text(1, 2, 3, 4, 5, 6, 7, 3, 4, 8, 1, 2, 3, 4);
        assertEquals(4, lookup.matched());
        assertArrayEquals(new int[] {5, 6, 7}, lookup.draft(3));
    }

    @Test
    void aCopyWithAChangeGoesOnBehindTheChange() {
        // The end of each line came last in the second one.
        text(1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 40, 11, 12);
        text(50, 51, 30, 40, 13, 14);
        text(1, 2, 3, 4, 5, 6, 7, 8, 99, 30, 40);
        assertArrayEquals(new int[] {11, 12}, lookup.draft(2));
    }

    @Test
    void whatReachesTheEndOfTheTextRepeatsItself() {
        text(1, 2, 3, 1, 2, 3);
        assertArrayEquals(new int[] {1, 2, 3, 1, 2, 3, 1}, lookup.draft(7));
    }

    @Test
    void anImageIsNotDrafted() {
        text(1, 2, 3);
        lookup.appendOther();
        text(4, 1, 2);
        assertArrayEquals(new int[] {3}, lookup.draft(8));
    }

    /** Whatever the text is, what is drafted followed the same tokens before. */
    @Test
    void everyDraftIsFromTheText() {
        Random random = new Random(1);
        int[] tokens = new int[5000];
        PromptLookup small = new PromptLookup(64);
        int drafts = 0;
        for (int size = 0; size < tokens.length; size++) {
            tokens[size] = random.nextInt(1 + size % 50);
            small.append(tokens[size]);
            int matched = small.matched();
            assertTrue(matched == 0 || matched >= PromptLookup.SHORTEST && matched <= PromptLookup.COUNTED);
            int[] draft = small.draft(1);
            assertEquals(matched == 0 ? 0 : 1, draft.length);
            if (matched > 0) {
                drafts++;
                assertTrue(cameBefore(tokens, size + 1, matched, draft[0]), "after " + (size + 1) + " tokens");
            }
        }
        assertTrue(drafts > 500, "only " + drafts);
    }

    private static boolean cameBefore(int[] tokens, int size, int matched, int next) {
        for (int end = matched; end < size; end++) {
            int agree = 0;
            while (agree < matched && tokens[end - 1 - agree] == tokens[size - 1 - agree]) {
                agree++;
            }
            if (agree == matched && tokens[end] == next) {
                return true;
            }
        }
        return false;
    }
}
