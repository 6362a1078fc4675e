package dev.luq.http.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class JsonWeightTest {

    private static JsonWeight of(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        JsonWeight weight = new JsonWeight();
        for (int i = 0; i < bytes.length; i++) {
            weight.add(bytes, i, i + 1);
        }
        return weight;
    }

    private static long parts(String json) {
        return of(json).objects() / 64;
    }

    @Test
    void everyObjectArrayNameStringAndPlaceCounts() {
        assertEquals(0, parts(" 17 "));
        assertEquals(1, parts("{}"));
        assertEquals(3, parts("[1, 2, 3]"));
        assertEquals(4, parts("{\"a\": \"b\"}"), "the object, its name, the name's place, its string");
        assertEquals(496_000, parts("{\"a\":0},".repeat(124_000)));
    }

    @Test
    void whatIsInAStringIsText() {
        assertEquals(1, parts("\"{[,:]}\""));
        assertEquals(1, parts("\"\\\",,,\\\\\""), "an escaped quote, not an escaped backslash before one");
        assertEquals(2, parts("[\"\\\\\"]"));
    }

    @Test
    void charactersThatDoNotFitOneByteMakeTheirStringTwiceAsLong() {
        assertEquals(4, of("\"abc\"").text());
        assertEquals(7 + 4, of("[\"äöü\", \"abc\"]").text(), "in UTF-8, no less than in Latin-1");
        assertEquals(2 * 5 + 4, of("[\"€a\", \"abc\"]").text());
        assertEquals(2 * 7, of("\"\\u20ac\"").text());
    }
}
