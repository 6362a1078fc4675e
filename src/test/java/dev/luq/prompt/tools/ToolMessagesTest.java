package dev.luq.prompt.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ToolMessagesTest {

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static final JsonNode TOOLS =
            json("[{'type':'function','function':{'name':'a'}},{'type':'function','function':{'name':'b'}}]");

    @Test
    void toolsAreDescribedBehindTheSystemMessage() {
        JsonNode messages = ToolMessages.of(
                json("[{'role':'system','content':'Be brief.'},{'role':'user','content':'Hi'}]"), TOOLS);
        assertEquals(2, messages.size());
        String system = messages.at("/0/content").asText();
        assertTrue(system.startsWith("Be brief.\n\n# Tools\n"), system);
        assertTrue(
                system.contains(
                        "<tools>\n{\"type\":\"function\",\"function\":{\"name\":\"a\"}}\n{\"type\":\"function\","),
                system);
        assertTrue(system.endsWith("</tool_call>"), system);
    }

    @Test
    void withoutASystemMessageTheyGetOne() {
        JsonNode messages = ToolMessages.of(json("[{'role':'user','content':'Hi'}]"), TOOLS);
        assertEquals("system", messages.at("/0/role").asText());
        assertTrue(messages.at("/0/content").asText().startsWith("# Tools\n"));
        assertEquals("Hi", messages.at("/1/content").asText());
    }

    @Test
    void callsBecomeTextOfTheAssistantAndResultsAMessageOfTheUser() {
        JsonNode messages = ToolMessages.of(
                json(
                        """
                        [{'role':'user','content':'Hi'},
                        {'role':'assistant','content':null,'tool_calls':[
                        {'id':'1','type':'function','function':{'name':'a','arguments':'{}'}},
                        {'id':'2','type':'function','function':{'name':'b','arguments':'[1]'}}]},
                        {'role':'tool','tool_call_id':'1','content':'one'},
                        {'role':'tool','tool_call_id':'2','content':[{'type':'text','text':'two'}]},
                        {'role':'assistant','content':'Both.'}]"""),
                json("[]"));
        assertEquals(
                json(
                        """
                        [{'role':'user','content':'Hi'},
                        {'role':'assistant','content':
                        '<tool_call>\\n{\\'name\\': \\'a\\', \\'arguments\\': {}}\\n</tool_call>\\n<tool_call>\\n{\\'name\\': \\'b\\', \\'arguments\\': [1]}\\n</tool_call>'},
                        {'role':'user','content':
                        '<tool_response>\\none\\n</tool_response>\\n<tool_response>\\ntwo\\n</tool_response>'},
                        {'role':'assistant','content':'Both.'}]"""),
                messages);
    }

    @Test
    void textBeforeACallStaysBeforeIt() {
        JsonNode messages = ToolMessages.of(
                json(
                        "[{'role':'assistant','content':'Wait.','tool_calls':[{'function':{'name':'a','arguments':'{}'}}]}]"),
                json("[]"));
        assertEquals(
                "Wait.\n<tool_call>\n{\"name\": \"a\", \"arguments\": {}}\n</tool_call>",
                messages.at("/0/content").asText());
    }

    @Test
    void aPictureInAResultStaysInItsPlace() {
        JsonNode messages = ToolMessages.of(
                json("[{'role':'tool','content':[{'type':'media_marker','text':'m'},{'type':'text','text':'seen'}]}]"),
                json("[]"));
        assertEquals(
                json(
                        """
                        [{'role':'user','content':[{'type':'text','text':'<tool_response>\\n'},
                        {'type':'media_marker','text':'m'},{'type':'text','text':'seen'},
                        {'type':'text','text':'\\n</tool_response>'}]}]"""),
                messages);
    }
}
