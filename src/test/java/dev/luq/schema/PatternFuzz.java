package dev.luq.schema;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.luq.fuzz.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A regular expression is refused, or becomes a grammar of bounded length. */
public final class PatternFuzz implements FuzzTarget {

    @Override
    public String name() {
        return "pattern";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                        "^[a-z]{2,4}-(\\d+|x?y*)\\.(?:foo|bar)$",
                        "^\\S+@[^@\\s]+$",
                        "(a?){0,99}b",
                        "\\u00e9[\\x41-\\x5a]|^a\\/b$",
                        "(?=a)\\p{L}",
                        "[^\\w\\-]{3,}")
                .stream()
                .map(pattern -> pattern.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) {
        try {
            assertFalse(
                    PatternGrammar.of(new String(input, StandardCharsets.UTF_8)).isEmpty());
        } catch (PatternGrammar.Unusable refused) {
            assertFalse(refused.getMessage().isEmpty());
        }
    }
}
