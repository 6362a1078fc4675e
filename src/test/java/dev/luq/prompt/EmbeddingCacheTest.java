package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class EmbeddingCacheTest {

    private static final class Value implements AutoCloseable {
        boolean closed;

        @Override
        public void close() {
            closed = true;
        }
    }

    private final EmbeddingCache<Value> cache = new EmbeddingCache<>(100);

    private Value put(String image, long bytes, int pins) {
        Value value = new Value();
        cache.put(image, value, bytes, pins);
        return value;
    }

    @Test
    void theLeastRecentlyUsedGoesFirst() {
        Value a = put("a", 40, 0);
        Value b = put("b", 40, 0);
        assertTrue(cache.pin("a"));
        cache.unpin("a");
        put("c", 40, 0);
        assertTrue(b.closed);
        assertFalse(a.closed);
        assertFalse(cache.pin("b"));
        assertEquals(80, cache.bytes());
    }

    @Test
    void whatIsInUseStaysBeyondTheBound() {
        Value a = put("a", 80, 1);
        Value b = put("b", 80, 1);
        assertFalse(a.closed || b.closed);
        assertSame(a, cache.pinned("a"));
        cache.unpin("a");
        assertTrue(a.closed);
        assertFalse(b.closed);
    }

    @Test
    void whatIsPinnedTwiceIsInUseUntilBothAreDone() {
        Value a = put("a", 80, 1);
        cache.pin("a");
        put("b", 80, 0);
        cache.unpin("a");
        assertFalse(a.closed);
    }

    @Test
    void aValueLargerThanTheBoundIsNotKept() {
        Value a = put("a", 200, 1);
        cache.unpin("a");
        assertTrue(a.closed);
        assertEquals(0, cache.bytes());
    }

    @Test
    void whatIsNotPinnedCannotBeUsed() {
        put("a", 10, 0);
        assertThrows(IllegalStateException.class, () -> cache.pinned("a"));
        assertThrows(IllegalStateException.class, () -> cache.unpin("b"));
        assertThrows(IllegalStateException.class, () -> put("a", 10, 0));
    }

    @Test
    void closingClosesAll() {
        Value a = put("a", 10, 1);
        cache.close();
        assertTrue(a.closed);
    }
}
