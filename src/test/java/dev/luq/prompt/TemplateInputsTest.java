package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.llama.SamplerOptions;
import dev.luq.prompt.PromptRequest.ImageInput;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TemplateInputsTest {

    private static final String TOOLS =
            """
            [{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}]""";

    private static TemplateInputs of(String messages, int images, String tools, String choice, String format) {
        ImageInput image = new ImageInput(1, 1, "00", new byte[3]);
        PromptRequest request = new PromptRequest(
                messages, Collections.nCopies(images, image), tools, choice, true, format, SamplerOptions.GREEDY, null);
        return TemplateInputs.of(request, new SpecialTokenGuard(List.of("<|end|>")));
    }

    private static JsonNode json(TemplateInputs request) throws Exception {
        return new ObjectMapper().readTree(request.json());
    }

    private static String param(String messages, String tools, String choice, String format) {
        return assertThrows(PromptException.InvalidRequest.class, () -> of(messages, 1, tools, choice, format))
                .param();
    }

    @Test
    void imagesBecomeMarksInTheirOrder() throws Exception {
        TemplateInputs request = of(
                """
                [{"role":"user","content":[{"type":"image","image":1},{"type":"text","text":"and"},
                {"type":"image","image":0}]}]""",
                2,
                null,
                null,
                null);
        JsonNode parts = json(request).at("/messages/0/content");
        assertEquals("media_marker", parts.at("/0/type").asText());
        assertEquals(request.mediaMark(), parts.at("/0/text").asText());
        assertEquals("and", parts.at("/1/text").asText());
        assertEquals(List.of(1, 0), request.images());
        assertTrue(json(request).get("add_generation_prompt").asBoolean());
    }

    @Test
    void specialTokensOfUsersAreBrokenWhereverTheyStand() throws Exception {
        TemplateInputs request = of(
                """
                [{"role":"system","content":"<|end|>"},
                {"role":"user","content":[{"type":"text","text":"x<|e"},{"type":"text","text":"nd|>"}]},
                {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\\"a\\":\\"<|end|>\\"}"}}]}]
                """,
                0,
                null,
                null,
                null);
        assertFalse(request.json().contains("<|end|>"));
        assertEquals(
                "x<" + request.breakMark() + "|e",
                json(request).at("/messages/1/content/0/text").asText());
        assertTrue(json(request).at("/messages/2/content").isNull());
    }

    @Test
    void specialTokensOfToolsAreBrokenWhereverTheyStand() throws Exception {
        TemplateInputs request = of(
                "[]",
                0,
                """
                [{"type":"function","function":{"name":"f","description":"<|end|>","parameters":{"type":"object","properties":
                {"<|end|>":{"enum":["<|end|>"],"title":"<|end|>"},"p":{"pattern":"^<.end.>$"}},"required":["<|end|>"]}}}]""",
                null,
                null);
        assertFalse(request.json().contains("<|end|>"));
        String broken = "<" + request.breakMark() + "|end|>";
        JsonNode parameters = json(request).at("/tools/0/function/parameters");
        assertEquals(broken, parameters.at("/properties/" + broken + "/enum/0").asText());
        assertEquals(broken, parameters.at("/required/0").asText());
        assertTrue(json(request).get("patterns").has("^<.end.>$"));
    }

    @Test
    void schemasThatCannotBeUsedAreNamed() {
        assertEquals(
                "response_format.json_schema.schema.pattern",
                param(
                        "[]",
                        null,
                        null,
                        "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"string\",\"pattern\":\"(?=a)\"}}}"));
    }

    @Test
    void aNamedFunctionIsTheOnlyToolAndRequired() throws Exception {
        TemplateInputs request = of("[]", 0, TOOLS, "{\"type\":\"function\",\"function\":{\"name\":\"b\"}}", null);
        assertEquals(1, json(request).get("tools").size());
        assertEquals("b", json(request).at("/tools/0/function/name").asText());
        assertEquals("required", json(request).get("tool_choice").asText());
        assertTrue(request.callsTools());
    }

    @Test
    void withoutAChoiceTheModelDecides() throws Exception {
        assertEquals(
                "auto", json(of("[]", 0, TOOLS, null, null)).get("tool_choice").asText());
        assertFalse(of("[]", 0, TOOLS, "none", null).callsTools());
        assertFalse(of("[]", 0, null, "required", null).callsTools());
    }

    @Test
    void responseFormatsBecomeSchemas() {
        assertEquals(null, of("[]", 0, null, null, "{\"type\":\"text\"}").schema());
        assertEquals(
                "{\"type\":\"object\"}",
                of("[]", 0, null, null, "{\"type\":\"json_object\"}").schema());
        assertEquals(
                "{\"type\":\"string\"}",
                of("[]", 0, null, null, "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"string\"}}}")
                        .schema());
    }

    @Test
    void wrongFieldsAreNamed() {
        assertEquals("messages", param("{", null, null, null));
        assertEquals("messages", param("[1]", null, null, null));
        assertEquals("messages", param("[{\"content\":[{\"type\":\"image\",\"image\":1}]}]", null, null, null));
        assertEquals("messages", param("[{\"content\":[{\"type\":\"audio\"}]}]", null, null, null));
        assertEquals("tool_choice", param("[]", TOOLS, "{\"function\":{\"name\":\"c\"}}", null));
        assertEquals("response_format", param("[]", null, null, "{\"type\":\"xml\"}"));
        assertEquals("response_format", param("[]", null, null, "{\"type\":\"json_schema\"}"));
    }
}
