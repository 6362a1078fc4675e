package dev.luq.benchmarks.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowTest {

    private static List<String> texts(String field) {
        return new Row("a.tsv", 1, JsonNodeFactory.instance.objectNode().put("answer", field)).texts("answer");
    }

    @Test
    void listsInTsvFilesAreAsPythonWritesThem() {
        assertEquals(List.of("it's", "\"so\"", "1"), texts("[\"it's\", '\"so\"', 1]"));
    }

    @Test
    void escapesInThemArePythons() {
        assertEquals(List.of("\u00a0x", "\u200b", "\ud83d\ude00"), texts("['\\xa0x', '\\u200b', '\\U0001f600']"));
        assertEquals(List.of("'\"\\\n"), texts("['\\x27\\x22\\x5c\\n']"), "what JSON would read otherwise");
        assertEquals(List.of("\\xa0", "it's"), texts("['\\\\xa0', 'it\\'s']"), "a backslash and no escape");
    }

    @Test
    void aTextThatBeginsAsAListIsAText() {
        assertEquals(List.of("[1, 2] km"), texts("[1, 2] km"));
        assertEquals(List.of("[sic]"), texts("[sic]"));
        assertEquals(List.of("[1] [2]"), texts("[1] [2]"));
    }
}
