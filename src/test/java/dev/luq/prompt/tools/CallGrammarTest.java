package dev.luq.prompt.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.llama.Llama;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** llama.cpp makes the grammars. */
@Integration
class CallGrammarTest {

    @BeforeAll
    static void load() {
        Llama.init(line -> {});
    }

    private static ToolSet tools(String parameters) throws JsonProcessingException {
        return ToolSet.of(new ObjectMapper()
                .readTree("{\"tools\":[{\"function\":{\"name\":\"paint\",\"parameters\":" + parameters + "}}]}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "colour", "#colour"})
    void aReferenceThatIsNoPointerChangesNothingWhereNobodyRefersToIt(String reference) throws Exception {
        ToolSet plain = tools("{\"type\":\"object\"}");
        ToolSet unused = tools("{\"type\":\"object\",\"$defs\":{\"unused\":{\"$ref\":\"" + reference + "\"}}}");
        assertEquals(CallGrammar.atOnce(plain, null, Map.of()), CallGrammar.atOnce(unused, null, Map.of()));
    }
}
