package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.RateLimited;
import java.util.List;
import org.junit.jupiter.api.Test;

class RateLimitsTest {

    private static final long SECOND = 1_000_000_000L;

    private long now = 5 * SECOND;
    private final RateLimits limits = new RateLimits(name -> true, () -> now);

    @Test
    void requestsComeBackEvenly() {
        Caller caller = caller("requests-per-minute=3");
        for (int i = 0; i < 3; i++) {
            limits.admit(caller);
        }
        assertEquals(20, waits(caller));
        now += 19 * SECOND;
        assertEquals(1, waits(caller));
        now += SECOND;
        limits.admit(caller);
        assertEquals(20, waits(caller));
        now += 3600 * SECOND;
        for (int i = 0; i < 3; i++) {
            limits.admit(caller);
        }
        assertEquals(20, waits(caller), "an hour saves no more than a minute's");
    }

    @Test
    void tokensAreTakenWhenTheyAreKnown() {
        Caller caller = caller("tokens-per-minute=60");
        assertTrue(limits.countsTokens(caller));
        limits.admit(caller);
        limits.admit(caller);
        limits.charge(caller, 100);
        ApiError error =
                assertThrows(RateLimited.class, () -> limits.admit(caller)).error();
        assertEquals(429, error.status());
        assertEquals("rate_limited", error.code());
        assertEquals(41, error.retryAfterSeconds().orElseThrow(), "what was used beyond the minute's is waited for");
        now += 41 * SECOND;
        limits.admit(caller);
    }

    @Test
    void aRefusedRequestCostsNothing() {
        Caller caller = caller("requests-per-minute=1 tokens-per-minute=1");
        limits.charge(caller, 1);
        assertEquals(60, waits(caller));
        now += 60 * SECOND;
        limits.admit(caller);
    }

    @Test
    void keysAreLimitedEachOnItsOwnAndOthersNotAtAll() {
        Caller one = caller("requests-per-minute=1 name=one");
        limits.admit(one);
        assertEquals(60, waits(one));
        limits.admit(caller("requests-per-minute=1 name=two"));
        for (Caller free : List.of(caller("name=free"), Caller.withoutKey(Role.ADMIN, "::1"))) {
            assertFalse(limits.countsTokens(free));
            limits.charge(free, 1_000_000);
            limits.admit(free);
            limits.admit(free);
        }
    }

    @Test
    void anotherNumberForAKeyBeginsAnew() {
        limits.admit(caller("requests-per-minute=1 name=one"));
        limits.admit(caller("requests-per-minute=2 name=one"));
        limits.admit(caller("requests-per-minute=1 name=one"));
    }

    private long waits(Caller caller) {
        return assertThrows(RateLimited.class, () -> limits.admit(caller))
                .error()
                .retryAfterSeconds()
                .orElseThrow();
    }

    private static Caller caller(String attributes) {
        return Caller.withKey(KeyLine.parse("a-key-of-20-letters= " + attributes));
    }
}
