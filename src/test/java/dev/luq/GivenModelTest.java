package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** What has to hold with every language model, tried with one that is given: {@code ./luq test -Dgguf=FILE}. */
@Integration
@EnabledIfSystemProperty(named = "gguf", matches = ".+")
class GivenModelTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String TOOLS =
            """
            [{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":
            {"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}},
            {"type":"function","function":{"name":"get_time","description":"The time in a zone","parameters":
            {"type":"object","properties":{"zone":{"type":"string"}},"required":["zone"],"additionalProperties":false}}}]""";

    @TempDir
    static Path directory;

    private static PackagedServer server;

    @BeforeAll
    static void start() throws Exception {
        server = PackagedServer.start(
                directory,
                "luq.models.given.model=" + Path.of(System.getProperty("gguf")).toAbsolutePath());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static ObjectNode ask(String question) {
        ObjectNode request = JSON.createObjectNode().put("temperature", 0).put("max_tokens", 100);
        request.putArray("messages").addObject().put("role", "user").put("content", question);
        return request;
    }

    private static ObjectNode withTools(String question, String choice) throws Exception {
        ObjectNode request = ask(question);
        request.set("tools", JSON.readTree(TOOLS));
        request.set("tool_choice", JSON.readTree(choice));
        return request;
    }

    private static String post(JsonNode request) throws Exception {
        HttpResponse<String> response = server.post("/v1/chat/completions", request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return response.body();
    }

    private static JsonNode choice(JsonNode request) throws Exception {
        return JSON.readTree(post(request)).at("/choices/0");
    }

    private static void assertCalls(JsonNode choice, String name, String argument) throws Exception {
        assertEquals("tool_calls", choice.path("finish_reason").asText(), choice.toString());
        assertTrue(choice.at("/message/content").isNull(), choice.toString());
        JsonNode function = choice.at("/message/tool_calls/0/function");
        assertEquals(name, function.path("name").asText(), choice.toString());
        assertTrue(
                JSON.readTree(function.path("arguments").asText())
                        .path(argument)
                        .isTextual(),
                choice.toString());
    }

    @Test
    void aFunctionThatIsNamedIsCalledWhateverIsAsked() throws Exception {
        String named = "{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}";
        for (String question : List.of("What is the weather in Rome?", "Hello!")) {
            assertCalls(choice(withTools(question, named)), "get_time", "zone");
        }
    }

    @Test
    void aRequiredCallIsStreamedInPieces() throws Exception {
        ObjectNode request =
                withTools("What is the weather in Rome?", "\"required\"").put("stream", true);
        List<JsonNode> calls = new ArrayList<>();
        StringBuilder arguments = new StringBuilder();
        String end = null;
        for (String line : post(request).split("\n")) {
            if (line.startsWith("data: {")) {
                JsonNode choice = JSON.readTree(line.substring(6)).at("/choices/0");
                assertTrue(choice.at("/delta/content").asText("").matches("|null"), line);
                choice.at("/delta/tool_calls").forEach(calls::add);
                end = choice.path("finish_reason").asText(null);
            }
        }
        for (int i = 0; i < calls.size(); i++) {
            JsonNode call = calls.get(i);
            assertEquals(i == 0, call.has("id"));
            assertEquals(i == 0, call.path("function").has("name"));
            assertEquals(0, call.path("index").asInt(-1));
            arguments.append(call.at("/function/arguments").asText());
        }
        assertTrue(calls.size() > 2, "arguments come as they are written");
        assertTrue(JSON.readTree(arguments.toString()).isObject(), arguments.toString());
        assertEquals("tool_calls", end);
    }

    @Test
    void someFunctionIsCalledWhereOneIsRequiredWhateverIsSaid() throws Exception {
        JsonNode choice = choice(withTools("Hello! How are you?", "\"required\""));
        assertEquals("tool_calls", choice.path("finish_reason").asText(), choice.toString());
        assertTrue(choice.at("/message/content").isNull(), choice.toString());
        assertTrue(
                choice.at("/message/tool_calls/0/function/name").asText().matches("get_weather|get_time"),
                choice.toString());
    }

    @Test
    void aStreamedCallHasItsLogProbabilities() throws Exception {
        ObjectNode request = withTools("What is the weather in Rome?", "\"required\"")
                .put("stream", true)
                .put("logprobs", true)
                .put("top_logprobs", 2);
        int calls = 0;
        List<JsonNode> tokens = new ArrayList<>();
        for (String line : post(request).split("\n")) {
            if (line.startsWith("data: {")) {
                JsonNode choice = JSON.readTree(line.substring(6)).at("/choices/0");
                calls += choice.at("/delta/tool_calls").size();
                choice.at("/logprobs/content").forEach(tokens::add);
            }
        }
        assertTrue(calls > 0 && !tokens.isEmpty(), () -> tokens.toString());
        for (JsonNode token : tokens) {
            assertTrue(token.path("logprob").doubleValue() <= 0, token.toString());
            assertEquals(2, token.path("top_logprobs").size(), token.toString());
        }
    }

    @Test
    void jsonIsJsonAndNothingElse() throws Exception {
        ObjectNode request = ask("Describe a person as JSON with name and age.");
        request.putObject("response_format").put("type", "json_object");
        JsonNode choice = choice(request);
        String content = choice.at("/message/content").asText();
        assertTrue(content.startsWith("{"), content);
        if (choice.path("finish_reason").asText().equals("stop")) {
            assertTrue(JSON.readTree(content).isObject(), content);
        }
    }

    @Test
    void aGrammarIsFollowed() throws Exception {
        String content = choice(ask("Is the sky blue?").put("grammar", "root ::= \"yes\" | \"no\""))
                .at("/message/content")
                .asText();
        assertTrue(content.matches("yes|no"), content);
    }

    @Test
    void anAnswerContinuesItsBeginning() throws Exception {
        ObjectNode request = ask("Count from 1 to 5.").put("max_tokens", 8);
        request.withArray("messages").addObject().put("role", "assistant").put("content", "1, 2, 3,");
        String content = choice(request).at("/message/content").asText();
        assertTrue(content.startsWith(" 4"), content);
    }
}
