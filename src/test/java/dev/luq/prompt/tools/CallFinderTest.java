package dev.luq.prompt.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.llama.MessageDelta;
import dev.luq.prompt.tools.CallFinder.Form;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallFinderTest {

    private static final String CALL = "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}";
    private static final String ROME = "get_weather{\"city\":\"Rome\"}";

    private static ToolSet tools(boolean parallel) {
        try {
            return ToolSet.of(new ObjectMapper()
                    .readTree(
                            """
                            {"tools":[{"function":{"name":"get_weather","parameters":{"type":"object",
                            "properties":{"city":{"type":"string"}},"required":["city"]}}},
                            {"function":{"name":"get_time"}}],"parallel_tool_calls":%s}"""
                                    .formatted(parallel)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** What the pieces of a text add, and what the whole adds: content as it is, calls as name and arguments. */
    private static List<String> found(Form form, boolean parallel, boolean cutOff, String text) {
        List<String> atOnce = joined(form, parallel, cutOff, List.of(text));
        List<String> characters =
                text.codePoints().mapToObj(Character::toString).toList();
        assertEquals(atOnce, joined(form, parallel, cutOff, characters), "in pieces");
        return atOnce;
    }

    private static List<String> joined(Form form, boolean parallel, boolean cutOff, List<String> pieces) {
        CallFinder finder = new CallFinder(tools(parallel), form);
        List<MessageDelta> deltas = new ArrayList<>();
        pieces.forEach(piece -> deltas.addAll(finder.append(piece)));
        deltas.addAll(finder.finish(cutOff));
        List<String> parts = new ArrayList<>();
        int calls = 0;
        boolean inCall = false;
        for (MessageDelta delta : deltas) {
            if (delta instanceof MessageDelta.ToolCall call) {
                assertEquals(call.id() == null, call.name() == null, "id and name come together");
                calls += call.id() == null ? 0 : 1;
                assertEquals(calls - 1, call.index());
                parts.add(call.id() == null ? parts.remove(parts.size() - 1) + call.arguments() : call.name());
                inCall = true;
            } else if (delta instanceof MessageDelta.Content content) {
                boolean more = !inCall && !parts.isEmpty();
                parts.add(more ? parts.remove(parts.size() - 1) + content.text() : content.text());
                inCall = false;
            }
        }
        return parts;
    }

    private static List<String> free(String text) {
        return found(Form.FREE, true, false, text);
    }

    /** A surrogate pair is written as it is, half of one stays the escape that the model wrote. */
    @Test
    void halfACharacterInArgumentsStaysAnEscape() {
        List<String> found = free("{\"name\":\"get_weather\",\"arguments\":{\"city\":\"\\ud83d\\ude00 \\ud83d!\"}}");
        assertEquals(1, found.size());
        assertTrue(found.get(0).contains("\ud83d\ude00 \\ud83d!"), found.toString());
    }

    @Test
    void aCallWithinTagsIsOne() {
        for (String tag : List.of("tool_call", "tools", "function_call")) {
            assertEquals(List.of(ROME), free("<" + tag + ">\n" + CALL + "\n</" + tag + ">"));
            assertEquals(List.of("Let me see.", ROME), free("Let me see. <" + tag + ">" + CALL + "</" + tag + ">\n"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                CALL,
                "\n" + CALL + "\n",
                "```json\n" + CALL + "\n```",
                "```\n" + CALL + "\n```\n",
                "~~~tool_call\n" + CALL + "\n~~~",
                "[" + CALL + "]",
                "```json\n[\n  " + CALL + "\n]\n```",
                "{\n  \"name\": \"get_weather\",\n  \"arguments\": {\n    \"city\": \"Rome\"\n  }\n}",
                "{\"name\":\"get_weather\",\"parameters\":{\"city\":\"Rome\"}}",
                "{\"parameters\":{\"city\":\"Rome\"},\"name\":\"get_weather\"}",
                "{\"type\":\"function\",\"name\":\"get_weather\",\"parameters\":{\"city\":\"Rome\"}}",
                "{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Rome\"}}}",
                "{\"name\":\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Rome\\\"}\"}",
                // as Qwen2.5-Coder's chat template shows it
                "{" + CALL + "}",
                // a model that ran out of closing tags
                "<tool_call>\n" + CALL,
                "```json\n" + CALL
            })
    void jsonThatIsACallIsOne(String text) {
        assertEquals(List.of(ROME), free(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "The weather is fine.",
                "```json\n{\"name\": \"John\", \"age\": 30}\n```",
                "{\"name\": \"get_weather_now\", \"arguments\": {\"city\": \"Rome\"}}",
                "{\"name\": \"get_weather\", \"arguments\": {\"city\": 7}}",
                "{\"name\": \"get_weather\", \"arguments\": {}}",
                "{\"name\": \"get_weather\"}",
                "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}, \"note\": 1}",
                "{\"name\": \"get_weather\", \"name\": \"get_time\", \"arguments\": {\"city\": \"Rome\"}}",
                "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Ro",
                CALL + " is what I would call.",
                "I would call " + CALL,
                "```json\n" + CALL + "\nwould be the call\n```",
                "```json\n" + CALL + "\n{\"name\": \"other\"}\n```",
                "{" + CALL,
                "<tool_call>\nnothing\n</tool_call>",
                "<tool_call",
                "if (a < b) {\n  [x]\n}\n```python\nprint(1)\n```\n\n",
                "\n "
            })
    void textThatOnlyLooksLikeACallStaysText(String text) {
        assertEquals(List.of(text), free(text));
    }

    @Test
    void severalCallsAreSeveral() {
        String time = "{\"name\": \"get_time\", \"arguments\": {}}";
        String other = "get_time{}";
        assertEquals(List.of(ROME, other), free("<tool_call>\n" + CALL + "\n" + time + "\n</tool_call>"));
        assertEquals(List.of(ROME, other), free("```json\n" + CALL + "\n" + time + "\n```"));
        assertEquals(List.of(ROME, other), free("[" + CALL + ", " + time + "]"));
        assertEquals(List.of(ROME, "and", other, "\nDone."), free(CALL + "\nand\n" + time + "\n\nDone."));
    }

    @Test
    void oneCallIsAllWhereOneMayCome() {
        assertEquals(List.of("So:", ROME), found(Form.FREE, false, false, "So:\n[" + CALL + "," + CALL + "]\nDone."));
        CallFinder finder = new CallFinder(tools(false), Form.FREE);
        finder.append("<tool_call>" + CALL);
        assertFalse(finder.complete());
        finder.append("</tool_call>");
        assertTrue(finder.complete());
    }

    @ParameterizedTest
    @ValueSource(strings = {"`", "```json", "```json\n{", "{\"na", "{\"name\": \"get_", "[ {", "<tool", "  {"})
    void whatMayBecomeACallIsHeldBackAndNoMore(String beginning) {
        CallFinder finder = new CallFinder(tools(true), Form.FREE);
        assertEquals(List.of(new MessageDelta.Content("So:")), finder.append("So:\n" + beginning));
        assertEquals(
                List.of(new MessageDelta.Content("\n" + beginning + "!")),
                finder.append("!"),
                "as soon as it is decided");
    }

    @Test
    void numbersStayAsTheyWereWritten() {
        assertEquals(
                List.of("get_time{\"at\":0.10000000000000000001,\"n\":12345678901234567890}"),
                free("{\"name\":\"get_time\",\"arguments\":{\"at\":0.10000000000000000001,"
                        + "\"n\":12345678901234567890}}"));
    }

    @Test
    void constrainedArgumentsComeAsTheyAreWritten() {
        CallFinder finder = new CallFinder(tools(true), Form.CONSTRAINED);
        assertEquals(List.of(), finder.append("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": "));
        List<MessageDelta> first = finder.append("{\"city\": ");
        assertEquals(2, first.size());
        assertEquals("get_weather", ((MessageDelta.ToolCall) first.get(0)).name());
        assertEquals(new MessageDelta.ToolCall(0, null, null, "{\"city\": "), first.get(1));
        assertEquals(List.of(new MessageDelta.ToolCall(0, null, null, "\"a}\\\"]\"")), finder.append("\"a}\\\"]\""));
        assertEquals(List.of(new MessageDelta.ToolCall(0, null, null, "}")), finder.append("}}\n</tool_call>"));
        assertEquals(List.of(), finder.finish(false));
    }

    @Test
    void constrainedCallsFollowEachOther() {
        String call = "<tool_call>\n" + CALL + "\n</tool_call>";
        for (Form form : List.of(Form.CONSTRAINED, Form.CONSTRAINED_IN_TAGS)) {
            String rome = "get_weather{\"city\": \"Rome\"}";
            assertEquals(List.of(rome, rome), found(form, true, false, call + "\n" + call + "\n"));
        }
        assertEquals(
                List.of("Let me see.", "get_weather{\"city\": \"Rome\"}", ROME, "Done."),
                found(Form.CONSTRAINED_IN_TAGS, true, false, "Let me see.\n" + call + "\n" + CALL + "\nDone."));
    }

    @Test
    void anAnswerThatFollowsASchemaIsNoCallWhateverItSays() {
        assertEquals(List.of(CALL), found(Form.CONSTRAINED, true, false, CALL));
    }

    @Test
    void aConstrainedCallThatIsCutOffIsNoText() {
        for (String half : List.of("<tool_", "<tool_call>\n{\"name\": \"get_")) {
            assertEquals(List.of(), found(Form.CONSTRAINED, true, true, half));
            assertEquals(List.of("So:"), found(Form.CONSTRAINED_IN_TAGS, true, true, "So: " + half));
        }
        assertEquals(
                List.of("get_weather{\"city\": \"Ro"),
                found(
                        Form.CONSTRAINED,
                        true,
                        true,
                        "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\": \"Ro"));
    }
}
