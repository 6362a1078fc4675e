package dev.luq.http.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParseLimiterTest {

    private final ParseLimiter limiter = new ParseLimiter(2);
    private final List<String> begun = new ArrayList<>();

    private ParseLimiter.Permit take(String name) {
        return limiter.take(() -> begun.add(name));
    }

    @Test
    void soManyAtATimeAndTheOthersInOrder() {
        ParseLimiter.Permit first = take("1");
        ParseLimiter.Permit second = take("2");
        take("3");
        take("4");
        assertEquals(List.of("1", "2"), begun);
        second.end();
        second.end();
        assertEquals(List.of("1", "2", "3"), begun);
        first.end();
        assertEquals(List.of("1", "2", "3", "4"), begun);
    }

    @Test
    void whoLeavesWhileWaitingNeverBegins() {
        ParseLimiter.Permit first = take("1");
        ParseLimiter.Permit second = take("2");
        ParseLimiter.Permit third = take("3");
        ParseLimiter.Permit fourth = take("4");
        third.end();
        first.end();
        assertEquals(List.of("1", "2", "4"), begun);
        second.end();
        fourth.end();
        take("5");
        take("6");
        take("7");
        assertEquals(List.of("1", "2", "4", "5", "6"), begun);
    }
}
