package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateInputsTest {

    private static TemplateInputs of(String chat) {
        return TemplateInputs.of(chat, new SpecialTokenGuard(List.of("<|end|>", "user", "text")));
    }

    private static JsonNode json(TemplateInputs inputs) throws Exception {
        return new ObjectMapper().readTree(inputs.json());
    }

    @Test
    void thePlaceOfAnImageGetsAMark() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[{"role":"user","content":[{"type":"media_marker"},{"type":"text","text":"and"},
                {"type":"media_marker"}]}]}""");
        JsonNode parts = json(inputs).at("/messages/0/content");
        for (int i : new int[] {0, 2}) {
            assertEquals("media_marker", parts.get(i).get("type").asText());
            assertEquals(inputs.mediaMark(), parts.get(i).get("text").asText());
        }
        assertEquals("and", parts.at("/1/text").asText());
    }

    @Test
    void specialTokensOfUsersAreBrokenWhereverTheyStand() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[{"role":"system","content":"<|end|>","name":"<|end|>","made_up":[{"later":"<|end|>"}]},
                {"role":"user","content":[{"type":"text","text":"x<|e"},{"type":"text","text":"n"},
                {"type":"text","text":"d|>"}]},
                {"role":"assistant","content":null,
                "tool_calls":[{"function":{"name":"f","arguments":"{\\"a\\":\\"<|end|>\\"}"}}]}]}""");
        assertFalse(inputs.json().contains("<|end|>"));
        assertEquals(
                "x<" + inputs.breakMark() + "|e",
                json(inputs).at("/messages/1/content/0/text").asText());
        assertTrue(json(inputs).at("/messages/2/content").isNull());
    }

    @Test
    void anImageStandsBetweenTheTextsAroundIt() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[{"role":"user","content":[{"type":"text","text":"<|e"},{"type":"media_marker"},
                {"type":"text","text":"nd|>"}]}]}""");
        assertEquals("<|e", json(inputs).at("/messages/0/content/0/text").asText());
    }

    @Test
    void wordsOfTheApiStayWholeEvenIfTheyAreSpecialTokens() throws Exception {
        TemplateInputs inputs =
                of("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"user\"}]}]}");
        assertEquals("user", json(inputs).at("/messages/0/role").asText());
        assertEquals("text", json(inputs).at("/messages/0/content/0/type").asText());
        assertEquals(
                "u" + inputs.breakMark() + "ser",
                json(inputs).at("/messages/0/content/0/text").asText());
    }

    @Test
    void specialTokensOfToolsAreBrokenWhereverTheyStand() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[],"tools":[{"function":{"name":"f","description":"<|end|>","parameters":{"properties":
                {"<|end|>":{"enum":["<|end|>"],"title":"<|end|>"},"p":{"pattern":"^<|end|>$"}},"required":["<|end|>"]}}}],
                "patterns":{"^<|end|>$":"char"}}""");
        String broken = "<" + inputs.breakMark() + "|end|>";
        JsonNode parameters = json(inputs).at("/tools/0/function/parameters");
        assertEquals(broken, parameters.at("/properties/" + broken + "/enum/0").asText());
        assertEquals(broken, parameters.at("/required/0").asText());
        assertFalse(parameters.toString().contains("<|end|>"));
        assertEquals(Map.of("^<|end|>$", "char", "^" + broken + "$", "char"), inputs.patterns());
        assertEquals(
                "char", json(inputs).at("/patterns").get("^" + broken + "$").asText());
    }

    @Test
    void aSchemaIsNotForTheModelToReadAndStays() {
        TemplateInputs inputs = of("{\"messages\":[],\"json_schema\":{\"enum\":[\"<|end|>\"]}}");
        assertEquals("{\"enum\":[\"<|end|>\"]}", inputs.schema());
        assertEquals("response_format", inputs.grammarField());
    }

    @Test
    void toolsAreCalledUnlessTheChoiceIsNone() {
        assertTrue(
                of("{\"messages\":[],\"tools\":[{}],\"tool_choice\":\"auto\"}").callsTools());
        assertFalse(
                of("{\"messages\":[],\"tools\":[{}],\"tool_choice\":\"none\"}").callsTools());
        TemplateInputs inputs = of("{\"messages\":[]}");
        assertFalse(inputs.callsTools());
        assertNull(inputs.schema());
        assertNull(inputs.grammarField());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "", "[]", "null", "5"})
    void whatTheServerNeverSendsIsADefect(String chat) {
        assertThrows(IllegalArgumentException.class, () -> of(chat));
    }
}
