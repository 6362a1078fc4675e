package dev.luq.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pattern becomes; that answers follow it, SchemaGrammarTest shows. */
class PatternGrammarTest {

    private static PatternGrammar.Unusable refused(String pattern) {
        return assertThrows(PatternGrammar.Unusable.class, () -> PatternGrammar.of(pattern), pattern);
    }

    @Test
    void anchorsDecideWhatMayStandAround() throws Exception {
        assertEquals("([a])", PatternGrammar.of("^a$"));
        assertEquals("char* ([a]) char*", PatternGrammar.of("a"));
        assertEquals("([a]) char* | char* ([b])", PatternGrammar.of("^a|b$"));
        assertEquals("\"\"", PatternGrammar.of("^$"));
    }

    @Test
    void charactersThatJsonEscapesAreEscaped() throws Exception {
        assertEquals("([\\\\] [\\U00000022])", PatternGrammar.of("^\"$"));
        assertEquals("([\\\\] [n])", PatternGrammar.of("^\\n$"));
        assertEquals("([\\\\] \"u00\" (\"01\"))", PatternGrammar.of("^\\x01$"));
    }

    @Test
    void whatIsRepeatedIsARule() throws Exception {
        String grammar = PatternGrammar.of("^(ab){2,3}$");
        assertTrue(grammar.matches("(?s)pattern-[0-9a-f]+-0 ::= \\(\\(\\[a]\\) \\(\\[b]\\)\\)\n.*\\{2,3}"), grammar);
        assertTrue(PatternGrammar.of("^a{$").endsWith("([a]) ([\\U0000007B])"), "a brace that repeats nothing");
    }

    @Test
    void expressionsOfOneGrammarShareNoRule() throws Exception {
        assertEquals("Aa".hashCode(), "BB".hashCode());
        assertFalse(PatternGrammar.of("^(BB){2,3}$")
                .startsWith(PatternGrammar.of("^(Aa){2,3}$").split(" ")[0]));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "\\p{L}", "\\P{L}", "\\bword", "(a)\\1", "\\k<n>", "a^b", "a$b",
                "(a*)*", "(?i)a"
            })
    void whatAGrammarCannotSayIsSaid(String pattern) {
        PatternGrammar.Unusable refusal = refused(pattern);
        assertTrue(refusal.getMessage().contains("not supported"), refusal.getMessage());
        assertFalse(refusal.tooComplex);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(",
                ")",
                "a)",
                "[",
                "[b-a]",
                "*",
                "+a",
                "\\",
                "\\x1",
                "\\u12",
                "\\u{110000}",
                "[]",
                "a{3,2}",
                "(?<n",
                "\\ud800\\u0041"
            })
    void whatIsNoExpressionIsSaid(String pattern) {
        assertTrue(
                refused(pattern).getMessage().contains("not a regular expression"),
                refused(pattern).getMessage());
    }

    @ParameterizedTest
    @CsvSource({"a, 2000", "(a{2000}), 6"})
    void repetitionsAreBounded(String repeated, int times) {
        assertTrue(refused(repeated + "{" + (times + 1) + "}" + (times > 10 ? "" : "a{2000}".repeat(4))).tooComplex);
        assertTrue(refused("a".repeat(PatternGrammar.LONGEST + 1)).tooComplex);
        assertTrue(refused("(".repeat(100) + ")".repeat(100)).tooComplex);
    }
}
