package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopMatcherTest {

    @Test
    void textIsCutBeforeTheStopString() {
        StopMatcher matcher = new StopMatcher(List.of("STOP"));
        assertEquals("one ", matcher.append("one STOP two"));
        assertTrue(matcher.matched());
        assertEquals("", matcher.append("three"));
        assertEquals("", matcher.finish());
    }

    @Test
    void aStopStringSplitAcrossPiecesIsFound() {
        StopMatcher matcher = new StopMatcher(List.of("STOP"));
        assertEquals("a", matcher.append("aS"));
        assertEquals("", matcher.append("TO"));
        assertEquals("", matcher.append("Pb"));
        assertTrue(matcher.matched());
    }

    @Test
    void whatOnlyLookedLikeAStopStringIsShownLater() {
        StopMatcher matcher = new StopMatcher(List.of("STOP"));
        assertEquals("", matcher.append("STO"));
        assertEquals("STO", matcher.append("STO"));
        assertEquals("STONE", matcher.append("NE"));
        assertEquals("", matcher.append("ST"));
        assertEquals("ST", matcher.finish());
        assertFalse(matcher.matched());
        assertNull(matcher.match());
    }

    @Test
    void theFirstOfSeveralStopStringsCounts() {
        StopMatcher matcher = new StopMatcher(List.of("world", "lo w", ""));
        assertEquals("hel", matcher.append("hello world"));
        assertTrue(matcher.matched());
        assertEquals("lo w", matcher.match());
    }

    @Test
    void theLongestPossibleBeginningIsHeldBack() {
        StopMatcher matcher = new StopMatcher(List.of("ab", "abcabd"));
        assertEquals("x", matcher.append("xa"));
        StopMatcher overlapping = new StopMatcher(List.of("aab"));
        assertEquals("a", overlapping.append("aaa"));
        assertEquals("", overlapping.append("b"));
        assertTrue(overlapping.matched());
    }

    @Test
    void withoutStopStringsNothingIsHeldBack() {
        assertEquals("anything", new StopMatcher(List.of()).append("anything"));
    }
}
