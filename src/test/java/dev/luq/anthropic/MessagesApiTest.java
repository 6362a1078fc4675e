package dev.luq.anthropic;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolChoiceAny;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.anthropic.models.messages.ToolUseBlock;
import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.openai.images.TestImages;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers, events and errors of the Messages API. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class MessagesApiTest extends ScriptedApi {

    private static final String MESSAGES = "/v1/messages";

    /** @param fields of the request beside max_tokens and messages, each behind a comma */
    private static ValidatableResponse ask(String fields) {
        return request()
                .header("anthropic-version", "2023-06-01")
                .header("anthropic-beta", "token-efficient-tools-2025-02-19")
                .body("{\"max_tokens\":64," + USER + fields + "}")
                .post(MESSAGES + "?beta=true")
                .then();
    }

    @Test
    void anAnswer() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " wörld");
        ask("").statusCode(200)
                .contentType("application/json")
                .header("request-id", notNullValue())
                .header("x-request-id", notNullValue())
                .body("id", startsWith("msg_"))
                .body("type", equalTo("message"))
                .body("role", equalTo("assistant"))
                .body("model", equalTo("scripted"))
                .body("content.size()", equalTo(1))
                .body("content[0].type", equalTo("text"))
                .body("content[0].text", equalTo("Hello wörld"))
                .body("content[0]", not(hasKey("input")))
                .body("stop_reason", equalTo("end_turn"))
                .body("$", hasKey("stop_sequence"))
                .body("stop_sequence", nullValue())
                .body("usage.input_tokens", equalTo(9))
                .body("usage.cache_read_input_tokens", equalTo(3))
                .body("usage.cache_creation_input_tokens", equalTo(0))
                .body("usage.output_tokens", equalTo(2));
        assertEquals(64, workers.requests.get(0).maxTokens());
    }

    @Test
    void anAnswerWithoutTextHasNoContent() {
        workers.script = ScriptedWorkers::text;
        ask("").statusCode(200).body("content", empty()).body("stop_reason", equalTo("end_turn"));
    }

    @Test
    void whyItStopped() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.delta(request, "one"),
                        new WorkerFrame.Finished(request.id(), "stop", "two", 1, null));
        ask(",\"stop_sequences\":[\"two\"]")
                .statusCode(200)
                .body("stop_reason", equalTo("stop_sequence"))
                .body("stop_sequence", equalTo("two"));
        assertEquals(List.of("two"), workers.requests.get(0).stop());
        workers.script = request -> Multi.createFrom()
                .items(ScriptedWorkers.accepted(request), ScriptedWorkers.finished(request, "length", 64));
        ask("").statusCode(200).body("stop_reason", equalTo("max_tokens")).body("stop_sequence", nullValue());
    }

    private static Multi<WorkerFrame.OfRequest> calls(ServerFrame.Generate request) {
        return Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.delta(request, "Let me"),
                        ScriptedWorkers.toolCall(request, 0, "call_1", "look", "{\"a\""),
                        ScriptedWorkers.toolCall(request, 0, null, null, ":1.50}"),
                        ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                        ScriptedWorkers.finished(request, "tool_calls", 9));
    }

    @Test
    void toolCalls() {
        workers.script = MessagesApiTest::calls;
        ask("").statusCode(200)
                .body("content.type", contains("text", "tool_use", "tool_use"))
                .body("content[0].text", equalTo("Let me"))
                .body("content[1].id", equalTo("toolu_call_1"))
                .body("content[1].name", equalTo("look"))
                .body("content[1].input.a", equalTo(1.5f))
                .body("content[1]", not(hasKey("text")))
                .body("content[2].input", anEmptyMap())
                .body("stop_reason", equalTo("tool_use"));
    }

    @Test
    void aCallThatIsCutOffHasNoInput() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.toolCall(request, 0, "call_1", "look", "{\"a\""),
                        ScriptedWorkers.finished(request, "length", 64));
        ask("").statusCode(200)
                .body("content[0].name", equalTo("look"))
                .body("content[0].input", anEmptyMap())
                .body("stop_reason", equalTo("max_tokens"));
    }

    @Test
    void picturesReachTheWorkerAsPixels() {
        workers.script = request -> ScriptedWorkers.text(request, "ok");
        String data = TestImages.png(6, 4).replaceFirst(".*,", "");
        request()
                .body("{\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":"
                        + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"" + data + "\"}}]}]}")
                .post(MESSAGES)
                .then()
                .statusCode(200);
        assertEquals(6, workers.requests.get(0).images().get(0).width());
        assertEquals(6 * 4 * 3, workers.requests.get(0).images().get(0).rgb().length);
    }

    @Test
    void aStream() throws Exception {
        workers.script = MessagesApiTest::calls;
        String stream = ask(",\"stream\":true")
                .statusCode(200)
                .contentType(startsWith("text/event-stream"))
                .header("request-id", notNullValue())
                .header("Cache-Control", "no-cache")
                .extract()
                .asString();
        List<JsonNode> events = events(stream);
        JsonNode message = events.get(0).get("message");
        assertTrue(message.get("id").asText().startsWith("msg_"), stream);
        assertEquals(
                "{\"type\":\"message\",\"role\":\"assistant\",\"model\":\"scripted\",\"content\":[],\"stop_reason\":null,"
                        + "\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":0,"
                        + "\"cache_read_input_tokens\":3,\"output_tokens\":0}}",
                message.toString().replaceFirst("\"id\":\"msg_\\w+\",", ""));
        assertEquals(
                List.of(
                        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
                        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Let me\"}}",
                        "{\"type\":\"content_block_stop\",\"index\":0}",
                        "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\","
                                + "\"id\":\"toolu_call_1\",\"name\":\"look\",\"input\":{}}}",
                        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\","
                                + "\"partial_json\":\"{\\\"a\\\"\"}}",
                        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\","
                                + "\"partial_json\":\":1.50}\"}}",
                        "{\"type\":\"content_block_stop\",\"index\":1}",
                        "{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\","
                                + "\"id\":\"toolu_call_2\",\"name\":\"see\",\"input\":{}}}",
                        "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
                                + "\"partial_json\":\"{}\"}}",
                        "{\"type\":\"content_block_stop\",\"index\":2}",
                        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},"
                                + "\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":0,"
                                + "\"cache_read_input_tokens\":3,\"output_tokens\":9}}",
                        "{\"type\":\"message_stop\"}"),
                events.stream().skip(1).map(JsonNode::toString).toList());
    }

    /** Anthropic's own client, which answers a call as its users do. */
    @Test
    void aCallAndItsResult() {
        AnthropicClient client = AnthropicOkHttpClient.builder()
                .baseUrl(server.toString().replaceFirst("/$", ""))
                .authToken(ScriptedProfile.USER)
                .maxRetries(0)
                .build();
        MessageCreateParams.Builder params = MessageCreateParams.builder()
                .model("scripted")
                .maxTokens(64)
                .addUserMessage("hi")
                .toolChoice(ToolChoiceAny.builder().build())
                .addTool(Tool.builder()
                        .name("look")
                        .inputSchema(Tool.InputSchema.builder()
                                .properties(Tool.InputSchema.Properties.builder()
                                        .putAdditionalProperty("a", JsonValue.from(Map.of("type", "number")))
                                        .build())
                                .build())
                        .build());
        workers.script = MessagesApiTest::calls;
        Message whole = client.messages().create(params.build()).validate();
        MessageAccumulator pieces = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(params.build())) {
            stream.stream().map(RawMessageStreamEvent::validate).forEach(pieces::accumulate);
        }
        for (Message answer : List.of(whole, pieces.message())) {
            ToolUseBlock call = answer.content().get(1).asToolUse();
            assertEquals("look", call.name());
            assertEquals(JsonValue.from(Map.of("a", 1.5)), call._input());
            assertEquals(StopReason.TOOL_USE, answer.stopReason().orElseThrow());
        }
        workers.script = request -> ScriptedWorkers.text(request, "A half.");
        Message last = client.messages()
                .create(params.addMessage(whole)
                        .addUserMessageOfContentBlockParams(List.of(
                                ContentBlockParam.ofToolResult(ToolResultBlockParam.builder()
                                        .toolUseId(whole.content()
                                                .get(1)
                                                .asToolUse()
                                                .id())
                                        .content("1/2")
                                        .build()),
                                ContentBlockParam.ofToolResult("toolu_call_2")))
                        .build());
        assertEquals("A half.", last.content().get(0).asText().text());
        String chat = Prompts.chat(workers.requests.get(2));
        assertTrue(chat.contains("\"content\":\"1/2\",\"tool_call_id\":\"call_1\""), chat);
        assertTrue(chat.contains("\"tool_choice\":\"required\""), chat);
        client.close();
    }

    @Test
    void aStreamWithNothingToSendPings() throws Exception {
        workers.script = request -> Multi.createBy()
                .concatenating()
                .streams(
                        Multi.createFrom().item(ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.05f)),
                        ScriptedWorkers.text(request, "Hello").onSubscription().call(() -> Uni.createFrom()
                                .voidItem()
                                .onItem()
                                .delayIt()
                                .by(Duration.ofMillis(700))));
        String stream = ask(",\"stream\":true").statusCode(200).extract().asString();
        assertTrue(stream.startsWith("event: ping\ndata: {\"type\":\"ping\"}\n\n"), stream);
        List<String> types = events(stream).stream()
                .map(event -> event.get("type").asText())
                .distinct()
                .toList();
        assertEquals(
                List.of(
                        "ping",
                        "message_start",
                        "content_block_start",
                        "content_block_delta",
                        "content_block_stop",
                        "message_delta",
                        "message_stop"),
                types);
    }

    @Test
    void aFailureAfterTheFirstByteIsAnErrorEvent() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Died("The model's process ended"),
                ScriptedWorkers.accepted(request),
                ScriptedWorkers.delta(request, "Hel"));
        ValidatableResponse response = ask(",\"stream\":true").statusCode(200);
        String stream = response.extract().asString();
        assertTrue(
                stream.endsWith("\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                        + "\"message\":\"The model's process ended\"},\"request_id\":\""
                        + response.extract().header("request-id") + "\"}\n\n"),
                stream);
    }

    static List<Object[]> failures() {
        return List.of(
                new Object[] {new WorkerException.QueueFull("full"), 429, "rate_limit_error"},
                new Object[] {new WorkerException.NotReady(ModelWorker.State.DRAINING, "why"), 503, "overloaded_error"},
                new Object[] {new WorkerException.DeadlineExceeded("why"), 504, "timeout_error"},
                new Object[] {new WorkerException.Quarantined("why"), 422, "invalid_request_error"},
                new Object[] {new WorkerException.Rejected("internal_error", "secret", null), 500, "api_error"});
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatFailsBeforeTheFirstTokenHasAStatus(WorkerException failure, int status, String type) {
        workers.script = request -> ScriptedWorkers.failing(failure);
        for (String stream : List.of("", ",\"stream\":true")) {
            assertFailed(ask(stream), status, type).body("error.message", not(containsString("secret")));
        }
    }

    /** Clients look for these words before they shorten the conversation. */
    @Test
    void aPromptThatIsTooLongIsCalledSo() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Rejected("context_length_exceeded", "12 tokens", "messages"));
        assertFailed(ask(""), 400, "invalid_request_error").body("error.message", startsWith("prompt is too long: "));
    }

    @Test
    void aFieldAtFaultIsCalledAsTheClientCallsIt() {
        workers.script = request -> ScriptedWorkers.failing(new WorkerException.Rejected(
                "schema_too_complex", "tools[0].function.parameters is too much", "tools[0].function.parameters"));
        String tool = ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";
        assertFailed(ask(tool), 400, "invalid_request_error")
                .body("error.message", equalTo("tools[0].input_schema is too much"));
        assertFailed(ask(",\"temperature\":1.5"), 400, "invalid_request_error")
                .body("error.message", startsWith("temperature "));
    }

    @Test
    void whatNeverReachesTheResourceHasTheFormOfThisApiToo() {
        String body = "{\"max_tokens\":1," + USER + "}";
        assertFailed(
                given().contentType("application/json")
                        .body(body)
                        .post(MESSAGES)
                        .then(),
                401,
                "authentication_error");
        assertFailed(request().get(MESSAGES).then(), 405, "invalid_request_error");
        assertFailed(request().body("{").post(MESSAGES).then(), 400, "invalid_request_error");
        assertFailed(request().post(MESSAGES + "/batches").then(), 404, "not_found_error");
        assertFailed(
                request()
                        .body("\"" + "x".repeat(2_000_001) + "\"")
                        .post(MESSAGES)
                        .then(),
                413,
                "request_too_large");
        assertFailed(ask(",\"model\":\"other\""), 404, "not_found_error");
        assertFailed(ask(",\"model\":\"loading\""), 503, "overloaded_error").header("Retry-After", notNullValue());
        assertFailed(
                request()
                        .header("Origin", "https://evil.example")
                        .body(body)
                        .post(MESSAGES)
                        .then(),
                403,
                "permission_error");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/chat/completions", "/v1/messages;x", "/v1/messagesandmore"})
    void otherPathsKeepTheirErrors(String path) {
        request().body("{}").post(path).then().body("error", hasKey("code")).body("$", not(hasKey("type")));
    }

    @Test
    void tokensAreCounted() {
        String count = MESSAGES + "/count_tokens";
        request()
                .body("{" + USER + "}")
                .post(count)
                .then()
                .statusCode(200)
                .body("$", equalTo(Map.of("input_tokens", 25)));
        assertFailed(request().body("{\"messages\":[]}").post(count).then(), 400, "invalid_request_error");
    }

    private static ValidatableResponse assertFailed(ValidatableResponse response, int status, String type) {
        return response.statusCode(status)
                .contentType("application/json")
                .header("request-id", equalTo(response.extract().header("x-request-id")))
                .body("type", equalTo("error"))
                .body("error.type", equalTo(type))
                .body("error.message", notNullValue())
                .body("request_id", equalTo(response.extract().header("request-id")));
    }

    @Test
    void theDescriptionListsEveryField() {
        request()
                .get("/q/openapi?format=json")
                .then()
                .statusCode(200)
                .body("paths", hasKey(MESSAGES))
                .body(
                        "components.schemas.MessagesRequest.properties.keySet()",
                        hasItems(
                                "model",
                                "max_tokens",
                                "messages",
                                "system",
                                "stop_sequences",
                                "temperature",
                                "top_p",
                                "top_k",
                                "tools",
                                "tool_choice",
                                "output_config",
                                "stream"))
                .body("components.schemas.MessagesError.required", hasItems("type", "error", "request_id"));
    }

    private static List<JsonNode> events(String stream) throws Exception {
        List<JsonNode> events = new ArrayList<>();
        for (String event : stream.split("\n\n")) {
            String[] lines = event.split("\n");
            assertEquals(2, lines.length, event);
            JsonNode data = JSON.readTree(lines[1].substring("data: ".length()));
            assertEquals("event: " + data.get("type").asText(), lines[0]);
            events.add(data);
        }
        return events;
    }
}
