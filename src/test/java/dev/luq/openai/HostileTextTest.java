package dev.luq.openai;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.TinyAndBroken;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Texts, schemas and tools that ended or blocked the model's process for everybody, sent to the whole server: they are
 * answered or refused, the process lives, and somebody else is answered meanwhile.
 */
@Integration
@QuarkusTest
@TestProfile(TinyAndBroken.class)
class HostileTextTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Inject
    ModelWorkers workers;

    @TestHTTPResource
    URI server;

    private final HttpClient client = HttpClient.newHttpClient();
    private ModelWorker worker;
    private long pid;
    private int asked;

    @BeforeEach
    void waitUntilReady() {
        worker = workers.find("tiny").orElseThrow();
        until("ready", () -> worker.state() == ModelWorker.State.READY);
        pid = worker.pid().orElseThrow();
    }

    @AfterEach
    void theProcessLivesAndAnswers() throws Exception {
        bystanderIsAnswered();
        assertEquals(pid, worker.pid().orElseThrow());
    }

    private static ObjectNode request(String text) {
        ObjectNode request = JSON.createObjectNode().put("model", "tiny").put("max_tokens", 120).put("temperature", 1).put("seed", 1);
        request.putArray("messages").addObject().put("role", "user").put("content", text);
        return request;
    }

    private static ObjectNode withSchema(JsonNode schema) {
        ObjectNode request = request("Answer.");
        request.putObject("response_format").put("type", "json_schema").putObject("json_schema").put("name", "x")
                .set("schema", schema);
        return request;
    }

    private CompletableFuture<HttpResponse<String>> send(ObjectNode request) {
        return client.sendAsync(HttpRequest.newBuilder(server.resolve("/v1/chat/completions"))
                .header("Content-Type", "application/json").timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofString(request.toString())).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Never the same text, and sooner than anybody would call waiting. */
    private void bystanderIsAnswered() throws Exception {
        ObjectNode request = request("What is " + asked++ + "?").put("max_tokens", 2);
        assertEquals(200, send(request).get(20, TimeUnit.SECONDS).statusCode());
    }

    private JsonNode refused(ObjectNode request, String code) throws Exception {
        CompletableFuture<HttpResponse<String>> answer = send(request);
        bystanderIsAnswered();
        JsonNode body = JSON.readTree(answer.get().body());
        assertEquals(400, answer.get().statusCode(), body.toString());
        assertEquals(code, body.at("/error/code").asText(), body.toString());
        return body.get("error");
    }

    private String content(ObjectNode request) throws Exception {
        CompletableFuture<HttpResponse<String>> answer = send(request);
        bystanderIsAnswered();
        assertEquals(200, answer.get().statusCode(), answer.get().body());
        return JSON.readTree(answer.get().body()).at("/choices/0/message/content").asText();
    }

    @Test
    void aTextLongerThanAnyContext() throws Exception {
        assertTrue(refused(request("x".repeat(21_000_000)), "context_length_exceeded").get("message").asText()
                .contains("Shorten the messages"));
    }

    @Test
    void aTextWithoutSpacesThatMightFit() throws Exception {
        long most = worker.info().orElseThrow().mostTextBytes();
        refused(request("x".repeat((int) Math.min(most - 100, 1_000_000))), "context_length_exceeded");
    }

    @Test
    void aLongNameManyReferencesManyProperties() throws Exception {
        ObjectNode name = JSON.createObjectNode().put("type", "object").put("additionalProperties", true);
        name.putObject("properties").putObject("_".repeat(40_000)).put("type", "string");
        refused(withSchema(name), "schema_too_complex");

        ObjectNode chain = JSON.createObjectNode().put("$ref", "#/$defs/a0");
        ObjectNode definitions = chain.putObject("$defs");
        for (int i = 0; i < 5000; i++) {
            definitions.putObject("a" + i).put("$ref", "#/$defs/a" + (i + 1));
        }
        definitions.putObject("a5000").put("type", "null");
        refused(withSchema(chain), "schema_too_complex");

        ObjectNode many = JSON.createObjectNode().put("type", "object");
        for (int i = 0; i < 6000; i++) {
            many.withObject("/properties").putObject("p" + i).put("type", "null");
        }
        refused(withSchema(many), "schema_too_complex");
    }

    @Test
    void aThousandOptionalProperties() throws Exception {
        ObjectNode schema = JSON.createObjectNode().put("type", "object").put("additionalProperties", false);
        for (int i = 0; i < 1000; i++) {
            schema.withObject("/properties").putObject("p" + i).put("type", "null");
        }
        assertTrue(content(withSchema(schema)).startsWith("{"));
    }

    @Test
    void aPatternWithTwoThousandOptions() throws Exception {
        ObjectNode schema = JSON.createObjectNode().put("type", "string").put("pattern", "^(a?){0,1999}b$");
        assertTrue(content(withSchema(schema)).startsWith("\""));
    }

    @Test
    void aPatternThatMultipliesItsStates() throws Exception {
        ObjectNode schema = JSON.createObjectNode().put("type", "string").put("pattern", "^" + "xyz".repeat(30) + "(.{0,2000}){0,2000}b$");
        assertEquals("response_format", refused(withSchema(schema), "schema_too_complex").get("param").asText());
    }

    @Test
    void aRecursiveSchema() throws Exception {
        JsonNode schema = JSON.readTree("""
                {"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
                 "required":["value","next"],"additionalProperties":false}""");
        assertTrue(content(withSchema(schema)).startsWith("{"));
    }

    @Test
    void jsonObjectWithoutAFence() throws Exception {
        ObjectNode request = request("Give me a JSON object.");
        request.putObject("response_format").put("type", "json_object");
        assertTrue(content(request).startsWith("{"));
    }

    @Test
    void aHundredTools() throws Exception {
        ObjectNode request = request("Call one.").put("max_tokens", 8);
        ArrayNode tools = request.putArray("tools");
        for (int i = 0; i < 100; i++) {
            ObjectNode function = tools.addObject().put("type", "function").putObject("function").put("name", "tool_" + i)
                    .put("description", "d".repeat(10));
            for (int p = 0; p < 10; p++) {
                function.withObject("/parameters/properties").putObject("p" + p).put("type", "string");
            }
        }
        CompletableFuture<HttpResponse<String>> answer = send(request);
        bystanderIsAnswered();
        // this model's template knows no tools
        assertEquals("tools", JSON.readTree(answer.get().body()).at("/error/param").asText(), answer.get().body());
    }

    @Test
    void thousandsOfMessages() throws Exception {
        ObjectNode request = request("Hi");
        for (int i = 0; i < 20_000; i++) {
            request.withArray("/messages").addObject().put("role", i % 2 == 0 ? "assistant" : "user").put("content", "a");
        }
        refused(request, "context_length_exceeded");
    }
}
