package dev.luq.benchmarks.scoring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class PythonTextTest {

    @Test
    void everySpaceOfUnicodeIsASpace() {
        assertEquals("a b", PythonText.strip("\u00a0\u2007\u0085 a b\u3000\n"));
        assertEquals("", PythonText.strip(" \t"));
        assertEquals(List.of("a", "b"), PythonText.words("  a\u202fb\r\n"));
        assertEquals(List.of(), PythonText.words(""));
    }

    @Test
    void capitalizeLowersTheRest() {
        assertEquals("What is ibm?", PythonText.capitalize("what is IBM?"));
        assertEquals("\u01c5a", PythonText.capitalize("\u01c6A"), "the first character in title case");
        assertEquals("", PythonText.capitalize(""));
    }

    @Test
    void lengthIsInCharacters() {
        assertEquals(2, PythonText.length("a\ud83d\ude00"));
    }
}
