package dev.luq.anthropic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model is asked for a request to the Messages API. */
class MessagesExchangeTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final ModelInfo VISION =
            new ModelInfo("Tiny", "qwen2vl", "F16", 1_000, 2_000, 16, 2048, 2048, 4, true, true, 64, null);
    private static final String USER = "{\"role\":\"user\",\"content\":\"hi\"}";
    private static final String CALL = "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\","
            + "\"name\":\"look\",\"input\":{\"at\":1.50}}]}";
    private static final String TOOLS = ",\"tools\":[{\"name\":\"look\",\"description\":\"d\",\"input_schema\":"
            + "{\"type\":\"object\",\"properties\":{}}}]";

    @Test
    void aConversation() {
        assertMessages(
                "[{'role':'user','content':'hi'},{'role':'assistant','content':'ho'},{'role':'user','content':'he'}]",
                USER,
                "{\"role\":\"assistant\",\"content\":\"ho\"}",
                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"he\",\"cache_control\":{\"type\":\"ephemeral\"}}]}");
    }

    @Test
    void messagesOfOneRoleInARowAreOne() {
        assertMessages(
                "[{'role':'user','content':[{'type':'text','text':'hi'},{'type':'text','text':'hi'}]},"
                        + "{'role':'assistant','content':'ab'},{'role':'user','content':'hi'}]",
                USER,
                USER,
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}",
                "{\"role\":\"assistant\",\"content\":\"b\"}",
                USER);
    }

    @Test
    void anAnswerContinuesTheAssistantsLastMessage() {
        JsonNode chat = chat(body("", USER, "{\"role\":\"assistant\",\"content\":\"I say\"}"));
        assertTrue(chat.get("continue_final_message").asBoolean());
        assertEquals("I say", chat.at("/messages/1/content").asText());
        assertFalse(chat(body("", USER)).has("continue_final_message"));
    }

    @Test
    void whetherTheModelThinks() {
        for (String on : List.of("enabled", "adaptive")) {
            assertTrue(chat(body(",\"thinking\":{\"type\":\"" + on + "\",\"budget_tokens\":1024}", USER))
                    .get("enable_thinking")
                    .asBoolean());
        }
        JsonNode off = chat(body(",\"thinking\":{\"type\":\"disabled\"}", USER)).get("enable_thinking");
        assertFalse(off.asBoolean(true));
        assertFalse(chat(body("", USER)).has("enable_thinking"), "its template decides");
        assertEquals(
                "high",
                chat(body(",\"output_config\":{\"effort\":\"high\"}", USER))
                        .at("/chat_template_kwargs/reasoning_effort")
                        .asText());
    }

    @Test
    void theSystemPromptComesFirst() {
        assertEquals(
                expected("[{'role':'system','content':'be kind'},{'role':'user','content':'hi'}]"),
                chat(body(",\"system\":\"be kind\"", USER)).get("messages"));
        assertEquals(
                expected("[{'role':'system','content':'be\\nkind'},{'role':'user','content':'hi'}]"),
                chat(body(
                                ",\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cch=a5145;\"},"
                                        + "{\"type\":\"text\",\"text\":\"be\"},{\"type\":\"text\",\"text\":\"kind\"}]",
                                USER))
                        .get("messages"),
                "and what is meant for Anthropic's servers is left out");
        assertMessages(
                "[{'role':'user','content':'hi'},{'role':'system','content':'be kind'},{'role':'user','content':'hi'}]",
                USER,
                "{\"role\":\"system\",\"content\":\"be kind\"}",
                USER);
    }

    @Test
    void picturesKeepTheirPlaces() {
        ValidRequest request = valid(body(
                "",
                "{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
                        + "\"data\":\"QUJD\"}},{\"type\":\"text\",\"text\":\"and\"},{\"type\":\"image\",\"source\":"
                        + "{\"type\":\"url\",\"url\":\"https://example.org/a.png\"}}]}"));
        assertEquals(
                List.of("data:;base64,QUJD", "https://example.org/a.png"),
                request.images().stream().map(ImageReference::url).toList());
        assertEquals(
                expected("[{'role':'user','content':[{'type':'media_marker'},{'type':'text','text':'and'},"
                        + "{'type':'media_marker'}]}]"),
                chat(request).get("messages"));
    }

    @Test
    void callsAndTheirResults() {
        assertMessages(
                "[{'role':'user','content':'hi'},{'role':'assistant','content':'so','reasoning_content':'hm',"
                        + "'tool_calls':[{'id':'1','type':'function','function':{'name':'look','arguments':'{\\'at\\':1.5}'}}]},"
                        + "{'role':'tool','content':'a\\nb','tool_call_id':'1'},"
                        + "{'role':'tool','content':'Error:\\nno','tool_call_id':'mine'},"
                        + "{'role':'tool','content':'','tool_call_id':'3'},{'role':'user','content':'and?'}]",
                USER,
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":\"s\"},"
                        + "{\"type\":\"thinking\",\"thinking\":\"m\"},"
                        + "{\"type\":\"redacted_thinking\",\"data\":\"x\"},{\"type\":\"text\",\"text\":\"so\"},"
                        + "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"look\",\"input\":{\"at\":1.5}}]}",
                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"and?\"},{\"type\":\"tool_result\","
                        + "\"tool_use_id\":\"toolu_1\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                        + "{\"type\":\"text\",\"text\":\"b\"}]},{\"type\":\"tool_result\",\"tool_use_id\":\"mine\","
                        + "\"content\":\"no\",\"is_error\":true},{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_3\"}]}");
    }

    @Test
    void tools() {
        JsonNode chat = chat(body(
                TOOLS.replace("\"name\"", "\"type\":\"custom\",\"strict\":true,\"name\"")
                        + ",\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true}",
                USER));
        assertEquals(
                expected(
                        "[{'type':'function','function':{'name':'look','description':'d','parameters':{'type':'object',"
                                + "'properties':{}},'strict':true}}]"),
                chat.get("tools"));
        assertEquals("required", chat.get("tool_choice").asText());
        assertFalse(chat.get("parallel_tool_calls").asBoolean());
        assertTrue(chat(body(TOOLS, USER)).get("parallel_tool_calls").asBoolean());
        for (String choice : List.of("auto", "none")) {
            assertEquals(
                    choice,
                    chat(body(TOOLS + ",\"tool_choice\":{\"type\":\"" + choice + "\"}", USER))
                            .get("tool_choice")
                            .asText());
        }
        String two = TOOLS.replace("[{", "[{\"name\":\"see\",\"input_schema\":{\"type\":\"object\"}},{");
        JsonNode named = chat(body(two + ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"look\"}", USER));
        assertEquals("required", named.get("tool_choice").asText());
        assertEquals(List.of("look"), named.get("tools").findValuesAsText("name"));
    }

    @Test
    void everySettingArrives() {
        ValidRequest request =
                valid("{\"messages\":[" + USER + "],\"max_tokens\":7,\"temperature\":0.5,\"top_p\":0.25,\"top_k\":3,"
                        + "\"stop_sequences\":[\"a\",\"b\"],\"stream\":true,\"metadata\":{\"user_id\":\"u\"},"
                        + "\"service_tier\":\"auto\",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},"
                        + "\"mcp_servers\":[],\"system\":null,\"tools\":null,\"tool_choice\":null}");
        ServerFrame.Generate frame = request.generate("id", 0, List.of());
        assertEquals(7, frame.maxTokens());
        assertEquals(0.5f, frame.sampling().temperature());
        assertEquals(0.25f, frame.sampling().topP());
        assertEquals(3, frame.sampling().topK());
        assertEquals(List.of("a", "b"), frame.stop());
        assertTrue(request.stream());
        assertEquals(1, request.choices());
    }

    @Test
    void theFormatOfTheAnswer() {
        String format = "{\"type\":\"json_schema\",\"schema\":{\"type\":\"array\"}}";
        for (String field : List.of(",\"output_config\":{\"format\":" + format + "}", ",\"output_format\":" + format)) {
            assertEquals(
                    "array", chat(body(field, USER)).at("/json_schema/type").asText());
        }
        assertFalse(chat(body(",\"output_config\":{\"effort\":\"low\"}", USER)).has("json_schema"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "messages | {'max_tokens':1}",
                "messages | {'max_tokens':1,'messages':[]}",
                "max_tokens | {'messages':[{'role':'user','content':'hi'}]}",
                "max_tokens | {'max_tokens':0,'messages':[{'role':'user','content':'hi'}]}",
                "messages[0] | {'max_tokens':1,'messages':[null]}",
                "enable_thinking | {'max_tokens':1,'messages':[{'role':'user','content':'hi'}],"
                        + "'enable_thinking':true,'thinking':{'type':'disabled'}}",
                "reasoning_effort | {'max_tokens':1,'messages':[{'role':'user','content':'hi'}],"
                        + "'reasoning_effort':'low','output_config':{'effort':'high'}}",
                "messages[0].role | {'max_tokens':1,'messages':[{'content':'hi'}]}",
                "messages[0].role | {'max_tokens':1,'messages':[{'role':'tool','content':'hi'}]}",
                "messages[0].content | {'max_tokens':1,'messages':[{'role':'user'}]}",
                "messages[0].content | {'max_tokens':1,'messages':[{'role':'user','content':[]}]}",
                "messages[0].content | {'max_tokens':1,'messages':[{'role':'user','content':{}}]}",
            })
    void bodiesThatAreRefused(String field, String body) {
        assertRefused(field, body.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "temperature | ,'temperature':1.5",
                "max_completion_tokens | ,'max_completion_tokens':-1",
                "n_predict | ,'n_predict':-1",
                "top_p | ,'top_p':2",
                "stop_sequences[1] | ,'stop_sequences':['a','']",
                "system[1].type | ,'system':[{'type':'text','text':'a'},{'type':'image'}]",
                "system[0].text | ,'system':[{'type':'text'}]",
                "tools[0].type | ,'tools':[{'type':'web_search_20250305','name':'web_search'}]",
                "tools[0].input_schema | ,'tools':[{'name':'f'}]",
                "tools[0].name | ,'tools':[{'name':'a b','input_schema':{'type':'object'}}]",
                "tools[0].input_schema.anyOf | ,'tools':[{'name':'f','input_schema':{'anyOf':[]}}]",
                "tool_choice.type | ,'tool_choice':{'type':'required'}",
                "tool_choice.type | ,'tool_choice':{'type':'any'}",
                "tool_choice.name | ,'tool_choice':{'type':'tool','name':'f'}",
                "tool_choice.name | ,'tool_choice':{'type':'tool'}",
                "output_config.format.type | ,'output_config':{'format':{'type':'grammar'}}",
                "output_config.format.schema | ,'output_config':{'format':{'type':'json_schema'}}",
                "output_config.format.schema.anyOf | ,'output_config':{'format':{'type':'json_schema','schema':{'anyOf':[]}}}",
                "mcp_servers | ,'mcp_servers':[{'url':'x'}]",
                "n | ,'n':2",
                "repetition_penalty | ,'repetition_penalty':1.3",
                "seed | ,'seed':'x'",
            })
    void fieldsThatAreRefused(String field, String fields) {
        assertRefused(field, body(fields.replace('\'', '"'), USER));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "messages[1].content[0].type | {'role':'user','content':[{'type':'document'}]}",
                "messages[1].content[0].type | {'role':'user','content':[{'type':'tool_use'}]}",
                "messages[1].content[0].type | {'role':'user','content':[{}]}",
                "messages[1].content[0] | {'role':'user','content':['a']}",
                "messages[1].content[0].text | {'role':'user','content':[{'type':'text','text':1}]}",
                "messages[1].content[0].source | {'role':'user','content':[{'type':'image'}]}",
                "messages[1].content[0].source.type | {'role':'user','content':[{'type':'image','source':{'type':'file'}}]}",
                "messages[1].content[0].source.data | {'role':'user','content':[{'type':'image','source':{'type':'base64',"
                        + "'media_type':'image/png'}}]}",
                "messages[1].content[0].source.media_type | {'role':'user','content':[{'type':'image','source':"
                        + "{'type':'base64','data':''}}]}",
                "messages[1].content[0].tool_use_id | {'role':'user','content':[{'type':'tool_result'}]}",
                "messages[1].content[0].content[0].type | {'role':'user','content':[{'type':'tool_result',"
                        + "'tool_use_id':'1','content':[{'type':'document'}]}]}",
                "messages[1].content[0].is_error | {'role':'user','content':[{'type':'tool_result','tool_use_id':'1',"
                        + "'is_error':1}]}",
                "messages[1].content[0].type | {'role':'assistant','content':[{'type':'image'}]}",
                "messages[1].content[0].id | {'role':'assistant','content':[{'type':'tool_use','name':'f','input':{}}]}",
                "messages[1].content[0].input | {'role':'assistant','content':[{'type':'tool_use','id':'1','name':'f',"
                        + "'input':'x'}]}",
                "messages[1].content | {'role':'assistant','content':[{'type':'tool_use','id':'1','name':'f','input':{}}]}",
                "messages[1].content | {'role':'assistant','content':[{'type':'thinking','thinking':'t'}]}",
            })
    void messagesThatAreRefused(String field, String message) {
        assertRefused(field, body(",\"system\":\"s\"", USER, message.replace('\'', '"')));
    }

    /** What the chat's own checks and the worker refuse is told by the names that the client used. */
    @Test
    void errorsNameTheClientsFields() {
        MessagesExchange exchange = MessagesExchange.answering(
                request(body(
                        ",\"system\":\"s\"" + TOOLS,
                        USER,
                        CALL,
                        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\"},"
                                + "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
                                + "\"data\":\"QUJD\"}}]}")),
                "req_1");
        ValidRequest valid = exchange.validate(VISION);
        assertEquals(
                "messages[2].content[1].source.data",
                exchange.fields().apply(valid.images().get(0).param()));
        assertEquals("system", exchange.fields().apply("messages[0].content"));
        assertEquals(
                "messages[1].content[0].input",
                exchange.fields().apply("messages[2].tool_calls[0].function.arguments"));
        assertEquals("messages[2].content[0].content", exchange.fields().apply("messages[3].content"));
        assertEquals(
                "tools[0].input_schema.properties", exchange.fields().apply("tools[0].function.parameters.properties"));
        assertEquals("messages", exchange.fields().apply("messages"));
    }

    private static void assertMessages(String expected, String... messages) {
        assertEquals(expected(expected), chat(body("", messages)).get("messages"));
    }

    private static void assertRefused(String field, String body) {
        MessagesExchange exchange = MessagesExchange.answering(request(body), "req_1");
        ApiError error = assertThrows(ApiException.class, () -> exchange.validate(VISION))
                .error()
                .named(exchange.fields());
        assertEquals(400, error.status());
        assertEquals(field, error.param(), error.message());
        assertTrue(error.message().contains(field), error.message());
    }

    /** @param fields beside messages and max_tokens, each behind a comma */
    private static String body(String fields, String... messages) {
        return "{\"max_tokens\":9,\"messages\":[" + String.join(",", messages) + "]" + fields + "}";
    }

    private static MessagesRequest request(String body) {
        try {
            return JsonBody.read(
                    new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)), 1 << 20, MessagesRequest.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ValidRequest valid(String body) {
        return MessagesExchange.answering(request(body), "req_1").validate(VISION);
    }

    private static JsonNode chat(String body) {
        return chat(valid(body));
    }

    private static JsonNode chat(ValidRequest request) {
        return json(Prompts.chat(request.generate("id", 0, List.of())));
    }

    /** @param json with ' in place of " */
    private static JsonNode expected(String json) {
        return json(json.replace("\\'", "\\\"").replace('\'', '"'));
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
