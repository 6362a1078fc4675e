package dev.luq.openai.responses;

import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasEntry;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputContent;
import com.openai.models.responses.ResponseInputImage;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseInputText;
import com.openai.models.responses.ResponseStreamEvent;
import dev.luq.Integration;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.openai.images.TestImages;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.smallrye.mutiny.Multi;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Responses, whole and streamed, by themselves and as OpenAI's client reads them. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ResponsesApiTest extends ScriptedApi {

    private static final String RESPONSES = "/v1/responses";
    private static final String INPUT = "\"input\":\"hi\"";

    @Test
    void aResponse() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " wörld");
        respond(",\"instructions\":\"be brief\",\"metadata\":{\"a\":\"b\"},\"store\":true,\"temperature\":0.7")
                .statusCode(200)
                .body("id", startsWith("resp_"))
                .body("object", equalTo("response"))
                .body("created_at", notNullValue())
                .body("completed_at", notNullValue())
                .body("status", equalTo("completed"))
                .body("error", nullValue())
                .body("incomplete_details", nullValue())
                .body("model", equalTo("scripted"))
                .body("instructions", equalTo("be brief"))
                .body("metadata", hasEntry("a", "b"))
                .body("store", equalTo(false))
                .body("temperature", equalTo(0.7f))
                .body("text.format.type", equalTo("text"))
                .body("tools", empty())
                .body("tool_choice", equalTo("auto"))
                .body("truncation", equalTo("disabled"))
                .body("$", hasKey("previous_response_id"))
                .body("output.size()", equalTo(1))
                .body("output[0].id", startsWith("msg_"))
                .body("output[0].type", equalTo("message"))
                .body("output[0].status", equalTo("completed"))
                .body("output[0].role", equalTo("assistant"))
                .body("output[0].content[0].type", equalTo("output_text"))
                .body("output[0].content[0].text", equalTo("Hello wörld"))
                .body("output[0].content[0].annotations", empty())
                .body("output[0].content[0].logprobs", empty())
                .body("usage.input_tokens", equalTo(12))
                .body("usage.input_tokens_details.cached_tokens", equalTo(3))
                .body("usage.input_tokens_details.image_tokens", equalTo(4))
                .body("usage.output_tokens", equalTo(2))
                .body("usage.output_tokens_details.reasoning_tokens", equalTo(0))
                .body("usage.total_tokens", equalTo(14));
    }

    /** It would say several times what was sent once. */
    @Test
    void ofTheRequestOnlyWhatIsKnownIsTold() {
        workers.script = request -> ScriptedWorkers.text(request, "Hi");
        respond(",\"text\":{\"format\":{\"type\":\"text\",\"pad\":\"x\",\"name\":\"" + "n".repeat(5000)
                        + "\"}},\"reasoning\":{\"effort\":\"low\"},"
                        + "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],"
                        + "\"tool_choice\":{\"type\":\"function\",\"name\":\"f\",\"pad\":\"x\"}")
                .statusCode(200)
                .body("text.format", equalTo(Map.of("type", "text")))
                .body("tool_choice", equalTo(Map.of("type", "function", "name", "f")))
                .body("reasoning.effort", equalTo("low"));
    }

    @Test
    void anAnswerThatIsCutOffIsIncomplete() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.delta(request, "Hel"),
                        ScriptedWorkers.finished(request, "length", 1));
        respond(",\"max_output_tokens\":1")
                .statusCode(200)
                .body("status", equalTo("incomplete"))
                .body("completed_at", nullValue())
                .body("incomplete_details.reason", equalTo("max_output_tokens"))
                .body("max_output_tokens", equalTo(1))
                .body("output[0].status", equalTo("incomplete"));
    }

    @Test
    void anEmptyAnswerHasAMessage() {
        workers.script = request -> ScriptedWorkers.text(request);
        respond("").statusCode(200).body("output[0].content[0].text", equalTo(""));
    }

    @Test
    void logProbabilities() {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        logprob(request, null, "Hi"),
                        logprob(request, "Hi!", "!"),
                        ScriptedWorkers.finished(request, "stop", 2));
        respond(",\"include\":[\"message.output_text.logprobs\"]")
                .statusCode(200)
                .body("output[0].content[0].logprobs.token", contains("Hi", "!"))
                .body("output[0].content[0].logprobs[0].logprob", equalTo(-0.5f))
                .body("output[0].content[0].logprobs[0].top_logprobs", empty());
    }

    private static OfRequest logprob(ServerFrame.Generate request, String content, String token) {
        return new WorkerFrame.Delta(
                request.id(),
                content,
                null,
                List.of(new WorkerFrame.TokenLogprob(1, token, -0.5, List.of(72), List.of())),
                1);
    }

    @Test
    void textAndCallsAreItemsInTheirOrder() {
        workers.script = ResponsesApiTest::textAndTwoCalls;
        respond("")
                .statusCode(200)
                .body("output.type", contains("message", "function_call", "function_call"))
                .body("output[1].id", startsWith("fc_"))
                .body("output.call_id", contains(null, "call_1", "call_2"))
                .body("output.name", contains(null, "look", "see"))
                .body("output.arguments", contains(null, "{\"a\":1}", "{}"))
                .body("output.status", contains("completed", "completed", "completed"));
    }

    private static Multi<OfRequest> textAndTwoCalls(ServerFrame.Generate request) {
        return Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        ScriptedWorkers.delta(request, "Let me"),
                        ScriptedWorkers.toolCall(request, 0, "call_1", "look", "{\"a\""),
                        ScriptedWorkers.toolCall(request, 0, null, null, ":1}"),
                        ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                        ScriptedWorkers.finished(request, "tool_calls", 9));
    }

    @Test
    void refusalsNameTheFieldsOfThisEndpoint() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Rejected("context_length_exceeded", "messages are too long", "messages"));
        assertError(respond(""), 400, "context_length_exceeded")
                .body("error.param", equalTo("input"))
                .body("error.message", equalTo("input are too long"));
        assertError(respond(",\"previous_response_id\":\"resp_1\""), 400, "invalid_request")
                .body("error.param", equalTo("previous_response_id"))
                .body("error.message", containsString("send the conversation so far"));
        assertError(
                        post("{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\","
                                + "\"image_url\":\"https://example.org/a.png\"}]}]}"),
                        400,
                        "invalid_image_url")
                .body("error.param", equalTo("input[0].content[0].image_url"));
    }

    @Test
    void theEventsOfAText() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hel\"", "lo");
        List<JsonNode> events = eventsOf("");
        assertEquals(
                List.of(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed"),
                types(events));
        assertEquals("in_progress", events.get(0).at("/response/status").asText());
        assertTrue(events.get(0).at("/response/usage").isNull());
        assertTrue(events.get(2).at("/item/content").isEmpty());
        String item = events.get(2).at("/item/id").asText();
        for (JsonNode event : events.subList(3, 8)) {
            assertEquals(item, event.path("item_id").asText());
            assertEquals(0, event.path("content_index").asInt(-1));
            assertEquals(0, event.path("output_index").asInt(-1));
        }
        assertEquals("Hel\"", events.get(4).path("delta").asText());
        assertTrue(events.get(4).path("logprobs").isArray());
        assertEquals("Hel\"lo", events.get(6).path("text").asText());
        assertEquals("Hel\"lo", events.get(7).at("/part/text").asText());
        assertEquals(events.get(8).path("item"), events.get(9).at("/response/output/0"), "the item is the response's");
        assertEquals(14, events.get(9).at("/response/usage/total_tokens").asInt());
        assertEquals(events.get(0).at("/response/id"), events.get(9).at("/response/id"));
    }

    @Test
    void theEventsOfCalls() throws Exception {
        workers.script = ResponsesApiTest::textAndTwoCalls;
        List<JsonNode> events = eventsOf("");
        assertEquals(
                List.of(
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed"),
                types(events).subList(7, events.size()));
        JsonNode added = events.get(8);
        assertEquals(1, added.path("output_index").asInt());
        assertEquals("call_1", added.at("/item/call_id").asText());
        assertEquals("look", added.at("/item/name").asText());
        assertEquals("", added.at("/item/arguments").asText("none"));
        assertEquals("in_progress", added.at("/item/status").asText());
        assertEquals(added.at("/item/id"), events.get(9).path("item_id"));
        assertEquals("{\"a\":1}", events.get(11).path("arguments").asText());
        assertEquals("completed", events.get(12).at("/item/status").asText());
    }

    @Test
    void aStreamThatIsCutOffEndsIncomplete() throws Exception {
        workers.script = request -> Multi.createFrom()
                .items(ScriptedWorkers.accepted(request), ScriptedWorkers.finished(request, "length", 0));
        List<JsonNode> events = eventsOf("");
        JsonNode last = events.get(events.size() - 1);
        assertEquals("response.incomplete", last.path("type").asText());
        assertEquals(
                "max_output_tokens",
                last.at("/response/incomplete_details/reason").asText());
    }

    @Test
    void aFailureAfterTheFirstByteIsAnErrorAndAFailedResponse() throws Exception {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Died("The model's process ended"),
                ScriptedWorkers.accepted(request),
                ScriptedWorkers.delta(request, "Hel"));
        List<JsonNode> events = eventsOf("");
        JsonNode error = events.get(events.size() - 2);
        assertEquals("error", error.path("type").asText());
        assertEquals("worker_restarting", error.path("code").asText());
        JsonNode failed = events.get(events.size() - 1);
        assertEquals("response.failed", failed.path("type").asText());
        assertEquals("server_error", failed.at("/response/error/code").asText());
        assertEquals("incomplete", failed.at("/response/output/0/status").asText());
    }

    @Test
    void aStreamTellsOfItsPromptAndItsTimeWhenItIsAskedTo() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "a", "b");
        List<JsonNode> events = eventsOf(",\"return_progress\":true,\"timings_per_token\":true");
        assertEquals(
                List.of(3, 12),
                events.stream()
                        .filter(event -> event.has("prompt_progress"))
                        .map(event -> event.at("/prompt_progress/processed").asInt())
                        .toList());
        assertEquals(
                List.of("response.in_progress", "response.output_text.delta", "response.completed"),
                events.stream()
                        .filter(event -> event.has("timings"))
                        .map(event -> event.path("type").asText())
                        .distinct()
                        .toList());
        assertEquals(2, events.get(events.size() - 1).at("/timings/predicted_n").asInt());
    }

    @Test
    void aStreamThatWaitsBeginsWithItsResponse() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Rejected("image_too_large", "Too large.", "messages"),
                ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.05f));
        String events = respond(",\"stream\":true").statusCode(200).extract().asString();
        assertTrue(events.startsWith("event: response.created\ndata: {\"type\":\"response.created\""), events);
        assertTrue(events.contains("\n\n: prompt 5 %\n\n"), events);
        assertTrue(events.contains("\"param\":\"input\""), events);
    }

    @Test
    void theClientOfOpenAiReadsWholeResponses() {
        workers.script = ResponsesApiTest::textAndTwoCalls;
        try (Client client = new Client()) {
            Response response = client.responses()
                    .create(params().input("hi")
                            .addTool(tool("look"))
                            .addTool(tool("see"))
                            .build())
                    .validate();
            assertEquals(
                    List.of("look", "see"),
                    response.output().stream()
                            .flatMap(item -> item.functionCall().stream())
                            .map(ResponseFunctionToolCall::name)
                            .toList());
            assertEquals(21, response.usage().orElseThrow().totalTokens());
        }
    }

    @Test
    void theClientOfOpenAiReadsStreamedResponses() {
        workers.script = ResponsesApiTest::textAndTwoCalls;
        try (Client client = new Client()) {
            ResponseAccumulator accumulator = ResponseAccumulator.createWithSnapshots();
            StringBuilder text = new StringBuilder();
            try (StreamResponse<ResponseStreamEvent> events =
                    client.responses().createStreaming(params().input("hi").build())) {
                events.stream().map(ResponseStreamEvent::validate).forEach(event -> {
                    accumulator.accumulate(event);
                    event.outputTextDelta().ifPresent(delta -> text.append(delta.delta()));
                });
            }
            assertEquals("Let me", text.toString());
            assertEquals(
                    accumulator.response().output(),
                    accumulator.reconstructedResponse().output(),
                    "what the deltas say is what the last event has");
        }
    }

    @Test
    void theClientOfOpenAiSendsPicturesAndWhatItsFunctionsGave() {
        workers.script = ResponsesApiTest::textAndTwoCalls;
        try (Client client = new Client()) {
            List<ResponseInputItem> input = new ArrayList<>();
            input.add(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                    .role(EasyInputMessage.Role.USER)
                    .contentOfResponseInputMessageContentList(List.of(
                            ResponseInputContent.ofInputText(
                                    ResponseInputText.builder().text("look").build()),
                            ResponseInputContent.ofInputImage(ResponseInputImage.builder()
                                    .detail(ResponseInputImage.Detail.AUTO)
                                    .imageUrl(TestImages.png(6, 4))
                                    .build())))
                    .build()));
            Response first =
                    client.responses().create(params().inputOfResponse(input).build());
            first.output().forEach(item -> {
                item.message().ifPresent(message -> input.add(ResponseInputItem.ofResponseOutputMessage(message)));
                item.functionCall().ifPresent(call -> input.add(ResponseInputItem.ofFunctionCall(call)));
            });
            for (String id : List.of("call_1", "call_2")) {
                input.add(ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                        .callId(id)
                        .output("42")
                        .build()));
            }
            client.responses().create(params().inputOfResponse(input).build());
            ServerFrame.Generate asked = workers.requests.get(1);
            assertEquals(6, asked.images().get(0).width());
            assertTrue(
                    Prompts.chat(asked)
                            .contains("{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Let me\"}],"
                                    + "\"tool_calls\":[{\"id\":\"call_1\""),
                    Prompts.chat(asked));
            assertTrue(
                    Prompts.chat(asked).contains("{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"call_2\"}"));
        }
    }

    /** OpenAI's client of this server. */
    private final class Client implements AutoCloseable {
        private final OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.resolve("/v1").toString())
                .apiKey(ScriptedProfile.USER)
                .maxRetries(0)
                .build();

        com.openai.services.blocking.ResponseService responses() {
            return client.responses();
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static ResponseCreateParams.Builder params() {
        return ResponseCreateParams.builder().model("scripted");
    }

    private static FunctionTool tool(String name) {
        return FunctionTool.builder()
                .name(name)
                .strict(true)
                .parameters(FunctionTool.Parameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty("properties", JsonValue.from(Map.of()))
                        .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                        .build())
                .build();
    }

    /** @param fields of the request beside input, each behind a comma */
    private static ValidatableResponse respond(String fields) {
        return post("{" + INPUT + fields + "}");
    }

    private static ValidatableResponse post(String body) {
        return request().body(body).post(RESPONSES).then();
    }

    /** The events of an answer: each has its name, and the next number. */
    private static List<JsonNode> events(String answer) throws Exception {
        List<JsonNode> events = new ArrayList<>();
        for (String event : answer.split("\n\n")) {
            String[] lines = event.split("\n");
            assertEquals(2, lines.length, event);
            JsonNode data = JSON.readTree(lines[1].substring("data: ".length()));
            assertEquals("event: " + data.path("type").asText(), lines[0]);
            assertEquals(events.size(), data.path("sequence_number").asInt(-1));
            events.add(data);
        }
        return events;
    }

    private static List<JsonNode> eventsOf(String fields) throws Exception {
        return events(respond(fields + ",\"stream\":true")
                .statusCode(200)
                .contentType(startsWith("text/event-stream"))
                .extract()
                .asString());
    }

    private static List<String> types(List<JsonNode> events) {
        return events.stream().map(event -> event.path("type").asText()).toList();
    }
}
