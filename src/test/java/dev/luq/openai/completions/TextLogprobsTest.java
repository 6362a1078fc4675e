package dev.luq.openai.completions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.protocol.WorkerFrame.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where tokens are in a text. */
class TextLogprobsTest {

    /** Tokens of these bytes of a text each, whose own texts have replacements for parts of characters. */
    private static List<TokenLogprob> tokens(String text, int... lengths) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        List<TokenLogprob> tokens = new ArrayList<>();
        int at = 0;
        for (int length : lengths) {
            List<Integer> own = new ArrayList<>();
            for (int i = at; i < at + length; i++) {
                own.add(bytes[i] & 0xFF);
            }
            tokens.add(new TokenLogprob(1, new String(bytes, at, length, StandardCharsets.UTF_8), -1, own, null));
            at += length;
        }
        return tokens;
    }

    @Test
    void offsetsCountTheCharactersOfTheText() {
        assertEquals(
                List.of(5, 7, 8), TextLogprobs.of(tokens("aé😀b", 3, 4, 1), 5).textOffset());
    }

    @Test
    void aCharacterOfSeveralTokensCountsOnce() {
        assertEquals(
                List.of(0, 1, 1, 1),
                TextLogprobs.of(tokens("你a", 1, 1, 1, 1), 0).textOffset());
        assertEquals(2, TextLogprobs.characters(tokens("你a", 1, 1, 1, 1)));
    }
}
