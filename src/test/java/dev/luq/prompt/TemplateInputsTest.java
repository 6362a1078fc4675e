package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.prompt.tools.ToolCalling;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateInputsTest {

    private static TemplateInputs of(String chat) {
        return TemplateInputs.of(chat, new SpecialTokenGuard(List.of("<|end|>", "user", "text")), true, true);
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
        assertEquals("media_marker", parts.at("/0/type").asText());
        assertEquals(inputs.mediaMark() + "0;", parts.at("/0/text").asText());
        assertEquals(inputs.mediaMark() + "1;", parts.at("/2/text").asText());
        assertEquals(
                List.of(
                        new TemplateInputs.ImagePlace("messages[0].content[0]", "user"),
                        new TemplateInputs.ImagePlace("messages[0].content[2]", "user")),
                inputs.images());
        assertEquals("and", parts.at("/1/text").asText());
    }

    @Test
    void messagesOfTheServerDoNotCountWhereAnImageIsNamed() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[{"role":"system","content":"Be brief."},
                {"role":"user","content":[{"type":"media_marker"}]}],"own_messages":1}""");
        assertEquals(List.of(new TemplateInputs.ImagePlace("messages[0].content[0]", "user")), inputs.images());
        assertFalse(json(inputs).has("own_messages"));
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
    void specialTokensOfVariablesAreBrokenToo() throws Exception {
        TemplateInputs inputs = of(
                """
                {"messages":[],"chat_template_kwargs":{"user":"<|end|>","more":[{"x":"<|end|>"}],"on":true}}""");
        JsonNode variables = json(inputs).get("chat_template_kwargs");
        assertEquals("<" + inputs.breakMark() + "|end|>", variables.get("user").asText());
        assertFalse(variables.toString().contains("<|end|>"));
        assertTrue(variables.get("on").booleanValue());
    }

    @Test
    void aSchemaIsNotForTheModelToReadAndStays() {
        TemplateInputs inputs = of("{\"messages\":[],\"json_schema\":{\"enum\":[\"<|end|>\"]}}");
        assertEquals("{\"enum\":[\"<|end|>\"]}", inputs.schema().toString());
        assertEquals("response_format", inputs.grammarField());
    }

    @Test
    void toolsAreCalledUnlessTheChoiceIsNone() throws Exception {
        String tools = "{\"messages\":[],\"tools\":[{\"function\":{\"name\":\"f\"}}]";
        TemplateInputs auto = of(tools + "}");
        assertEquals(ToolCalling.OF_TEMPLATE, auto.calling());
        assertEquals(Set.of("f"), auto.tools().schemas().keySet());
        assertEquals("tools", auto.grammarField());
        TemplateInputs required = of(tools + ",\"tool_choice\":\"required\"}");
        assertEquals(ToolCalling.AT_ONCE, required.calling());
        assertEquals("none", json(required).get("tool_choice").asText(), "the template makes no grammar of its own");
        assertEquals(1, json(required).get("tools").size());
        assertEquals(
                ToolCalling.AT_ONCE, of(tools + ",\"json_schema\":{}}").calling(), "a call, or what the schema says");
        for (String none : List.of(tools + ",\"tool_choice\":\"none\"}", "{\"messages\":[]}")) {
            TemplateInputs inputs = of(none);
            assertNull(inputs.tools());
            assertNull(inputs.calling());
            assertNull(inputs.schema());
            assertNull(inputs.grammarField());
        }
    }

    @Test
    void aTemplateThatKnowsNoToolsIsToldOfThemInTexts() throws Exception {
        TemplateInputs inputs = TemplateInputs.of(
                "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
                        + "\"tools\":[{\"function\":{\"name\":\"f\",\"description\":\"<|end|>\"}}]}",
                new SpecialTokenGuard(List.of("<|end|>")),
                false,
                true);
        assertEquals(ToolCalling.IN_TAGS, inputs.calling());
        assertFalse(json(inputs).has("tools"));
        assertEquals("system", json(inputs).at("/messages/0/role").asText());
        assertTrue(json(inputs).at("/messages/0/content").asText().contains("<" + inputs.breakMark() + "|end|>"));
    }

    @Test
    void theMessageThatTheAnswerContinuesIsTakenOut() throws Exception {
        for (String content : List.of("\"A<|end|>\"", "[{\"type\":\"text\",\"text\":\"A<|end|>\"}]")) {
            TemplateInputs inputs = of("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
                    + "{\"role\":\"assistant\",\"content\":" + content + "}],\"continue_final_message\":true}");
            assertEquals(1, json(inputs).get("messages").size());
            assertEquals("A<" + inputs.breakMark() + "|end|>", inputs.continuation());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "", "[]", "null", "5"})
    void whatTheServerNeverSendsIsADefect(String chat) {
        assertThrows(IllegalArgumentException.class, () -> of(chat));
    }
}
