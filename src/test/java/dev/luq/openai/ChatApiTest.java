package dev.luq.openai;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.openai.images.TestImages;
import dev.luq.openai.intake.IntakeBudget;
import dev.luq.worker.ModelWorker;
import dev.luq.worker.WorkerException;
import dev.luq.worker.protocol.WorkerFrame;
import dev.luq.worker.protocol.WorkerFrame.OfRequest;
import io.quarkus.arc.Arc;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.smallrye.mutiny.Multi;
import io.vertx.core.http.HttpServerResponse;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The shapes of the API: answers, streams, errors. */
@QuarkusTest
@TestProfile(ScriptedWorkers.Profile.class)
class ChatApiTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String USER = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    @Inject
    ScriptedWorkers workers;

    @Inject
    IntakeBudget budget;

    @TestHTTPResource
    URI server;

    @AfterEach
    void nothingIsHeld() throws InterruptedException {
        for (int i = 0; i < 500 && budget.free() != budget.total(); i++) {
            Thread.sleep(10);
        }
        assertEquals(budget.total(), budget.free(), "memory of requests that ended is free again");
        workers.requests.clear();
    }

    // ---- answers -------------------------------------------------------------------------------------------------

    @Test
    void anAnswer() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " wörld");
        chat("").statusCode(200)
                .contentType("application/json")
                .header("x-request-id", notNullValue())
                .body("id", startsWith("chatcmpl-"))
                .body("object", equalTo("chat.completion"))
                .body("created", notNullValue())
                .body("model", equalTo("scripted"))
                .body("system_fingerprint", startsWith("b"))
                .body("choices.size()", equalTo(1))
                .body("choices[0].index", equalTo(0))
                .body("choices[0].message.role", equalTo("assistant"))
                .body("choices[0].message.content", equalTo("Hello wörld"))
                .body("choices[0].message", hasKey("refusal"))
                .body("choices[0].message", not(hasKey("tool_calls")))
                .body("choices[0]", hasKey("logprobs"))
                .body("choices[0].finish_reason", equalTo("stop"))
                .body("usage.prompt_tokens", equalTo(12))
                .body("usage.completion_tokens", equalTo(2))
                .body("usage.total_tokens", equalTo(14))
                .body("usage.prompt_tokens_details.cached_tokens", equalTo(3))
                .body("usage.prompt_tokens_details.text_tokens", equalTo(8))
                .body("usage.prompt_tokens_details.image_tokens", equalTo(4));
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void aLongAnswerComesWhole(HttpClient.Version version) throws Exception {
        String content = "wörld ".repeat(50_000);
        workers.script = request -> ScriptedWorkers.text(request, content);
        HttpResponse<String> answer = HttpClient.newBuilder().version(version).build().send(
                HttpRequest.newBuilder(server.resolve(CHAT)).header("Content-Type", "application/json")
                        .header("Authorization", "Bearer " + ScriptedWorkers.KEY)
                        .POST(HttpRequest.BodyPublishers.ofString("{" + USER + "}")).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(version, answer.version());
        assertEquals("application/json", answer.headers().firstValue("Content-Type").orElseThrow());
        assertEquals(content, JSON.readTree(answer.body()).at("/choices/0/message/content").textValue());
    }

    @Test
    void severalChoices() {
        workers.script = request -> ScriptedWorkers.text(request, "seed " + request.sampling().seed());
        chat(",\"n\":3,\"seed\":7").statusCode(200)
                .body("choices.index", contains(0, 1, 2))
                .body("choices.message.content", contains("seed 7", "seed 8", "seed 9"))
                .body("usage.prompt_tokens", equalTo(12))
                .body("usage.completion_tokens", equalTo(3));
        assertEquals(3, workers.requests.stream().map(r -> r.id()).distinct().count());
    }

    @Test
    void toolCalls() {
        workers.script = request -> Multi.createFrom().items(ScriptedWorkers.accepted(request),
                ScriptedWorkers.toolCall(request, 0, "call_1", "look", "{\"a\""),
                ScriptedWorkers.toolCall(request, 0, null, null, ":1}"),
                ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                ScriptedWorkers.finished(request, "tool_calls", 9));
        chat("").statusCode(200)
                .body("choices[0].message.content", nullValue())
                .body("choices[0].message.tool_calls.id", contains("call_1", "call_2"))
                .body("choices[0].message.tool_calls.type", contains("function", "function"))
                .body("choices[0].message.tool_calls.function.name", contains("look", "see"))
                .body("choices[0].message.tool_calls.function.arguments", contains("{\"a\":1}", "{}"))
                .body("choices[0].finish_reason", equalTo("tool_calls"));
    }

    @Test
    void logProbabilitiesAndTimings() {
        WorkerFrame.TokenLogprob other = new WorkerFrame.TokenLogprob("Ho", -1.5, List.of(72, 111), null);
        workers.script = request -> Multi.createFrom().items(ScriptedWorkers.accepted(request),
                new WorkerFrame.Delta(request.id(), "Hi", null,
                        List.of(new WorkerFrame.TokenLogprob("Hi", -0.5, List.of(72, 105), List.of(other)))),
                ScriptedWorkers.finished(request, "length", 1));
        chat(",\"logprobs\":true,\"top_logprobs\":1,\"timings\":true").statusCode(200)
                .body("choices[0].finish_reason", equalTo("length"))
                .body("choices[0].logprobs.content[0].token", equalTo("Hi"))
                .body("choices[0].logprobs.content[0].logprob", equalTo(-0.5f))
                .body("choices[0].logprobs.content[0].bytes", contains(72, 105))
                .body("choices[0].logprobs.content[0].top_logprobs[0].token", equalTo("Ho"))
                .body("choices[0].timings.predicted_per_second", equalTo(50f))
                .body("choices[0].timings.prompt_n", equalTo(9));
    }

    @Test
    void imagesReachTheWorkerAsPixels() {
        workers.script = request -> ScriptedWorkers.text(request, "ok");
        String image = "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + TestImages.png(6, 4) + "\"}}";
        given(image, image).statusCode(200);
        assertEquals(2, workers.requests.get(0).images().size());
        assertEquals(6, workers.requests.get(0).images().get(0).width());
        assertEquals(6 * 4 * 3, workers.requests.get(0).images().get(1).rgb().length);
    }

    private ValidatableResponse given(String... parts) {
        return request().body("{\"messages\":[{\"role\":\"user\",\"content\":[" + String.join(",", parts) + "]}]}")
                .post(CHAT).then();
    }

    // ---- streams -------------------------------------------------------------------------------------------------

    @Test
    void aStream() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " world");
        String events = stream("").statusCode(200)
                .contentType(startsWith("text/event-stream"))
                .header("x-request-id", notNullValue())
                .header("Cache-Control", "no-cache")
                .extract().asString();
        assertTrue(events.startsWith("data: {"), events);
        assertTrue(events.endsWith("\n\ndata: [DONE]\n\n"), events);
        List<JsonNode> chunks = chunks(events);
        assertEquals(4, chunks.size());
        for (JsonNode chunk : chunks) {
            assertEquals("chat.completion.chunk", chunk.get("object").asText());
            assertEquals(chunks.get(0).get("id"), chunk.get("id"));
            assertEquals(chunks.get(0).get("created"), chunk.get("created"));
            assertEquals("scripted", chunk.get("model").asText());
            assertFalse(chunk.has("usage"));
            assertEquals(1, chunk.get("choices").size());
            assertTrue(chunk.at("/choices/0").has("logprobs"));
        }
        assertEquals("{\"role\":\"assistant\",\"content\":null}", chunks.get(0).at("/choices/0/delta").toString());
        assertEquals("{\"content\":\"Hello\"}", chunks.get(1).at("/choices/0/delta").toString());
        assertEquals("{\"content\":\" world\"}", chunks.get(2).at("/choices/0/delta").toString());
        assertTrue(chunks.get(2).at("/choices/0/finish_reason").isNull());
        assertEquals("{}", chunks.get(3).at("/choices/0/delta").toString());
        assertEquals("stop", chunks.get(3).at("/choices/0/finish_reason").asText());
    }

    @Test
    void usageComesInAChunkOfItsOwn() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        List<JsonNode> chunks = chunks(stream(",\"stream_options\":{\"include_usage\":true}").extract().asString());
        for (JsonNode chunk : chunks.subList(0, chunks.size() - 1)) {
            assertTrue(chunk.has("usage") && chunk.get("usage").isNull());
            assertEquals(1, chunk.get("choices").size());
        }
        JsonNode last = chunks.get(chunks.size() - 1);
        assertEquals(0, last.get("choices").size());
        assertEquals(13, last.at("/usage/total_tokens").asInt());
        assertEquals(4, last.at("/usage/prompt_tokens_details/image_tokens").asInt());
    }

    @Test
    void aStreamOfSeveralChoices() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "a", "b");
        List<JsonNode> chunks = chunks(stream(",\"n\":2").extract().asString());
        for (int choice = 0; choice < 2; choice++) {
            int index = choice;
            List<JsonNode> own = chunks.stream().map(c -> c.at("/choices/0"))
                    .filter(c -> c.get("index").asInt() == index).toList();
            assertEquals("assistant", own.get(0).at("/delta/role").asText());
            assertEquals("ab", own.get(1).at("/delta/content").asText() + own.get(2).at("/delta/content").asText());
            assertEquals("stop", own.get(3).get("finish_reason").asText());
            assertEquals(4, own.size());
        }
    }

    @Test
    void aChunkHasOneToolCallAtMost() throws Exception {
        workers.script = request -> Multi.createFrom().items(ScriptedWorkers.accepted(request),
                new WorkerFrame.Delta(request.id(), "Let me", new WorkerFrame.ToolCallDelta(0, "call_1", "look", "{"), null),
                ScriptedWorkers.toolCall(request, 0, null, null, "}"),
                ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                ScriptedWorkers.finished(request, "tool_calls", 9));
        List<String> deltas = chunks(stream("").extract().asString()).stream()
                .map(c -> c.at("/choices/0/delta").toString()).toList();
        assertEquals(List.of(
                "{\"role\":\"assistant\",\"content\":null}",
                "{\"content\":\"Let me\"}",
                "{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"{\"}}]}",
                "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]}",
                "{\"tool_calls\":[{\"index\":1,\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"see\",\"arguments\":\"{}\"}}]}",
                "{}"), deltas);
    }

    @Test
    void aFailureAfterTheFirstByteIsAnErrorEvent() {
        workers.script = request -> Multi.createBy().concatenating().streams(
                Multi.createFrom().items(ScriptedWorkers.accepted(request), ScriptedWorkers.delta(request, "Hel")),
                ScriptedWorkers.failing(new WorkerException.Died("The model's process ended")));
        String events = stream("").statusCode(200).extract().asString();
        assertTrue(events.contains("\"content\":\"Hel\""), events);
        assertTrue(events.endsWith("\n\nevent: error\ndata: {\"error\":{\"message\":\"The model's process ended\","
                + "\"type\":\"server_error\",\"param\":null,\"code\":\"worker_restarting\"}}\n\n"), events);
    }

    @Test
    void aSlowReaderGetsEverythingAndHoldsTheStreamBack() throws Exception {
        int pieces = 4000;
        String piece = "x".repeat(1000);
        AtomicLong produced = new AtomicLong();
        workers.script = request -> Multi.createBy().concatenating().streams(
                Multi.createFrom().item(ScriptedWorkers.accepted(request)),
                Multi.createFrom().range(0, pieces).invoke(i -> produced.incrementAndGet())
                        .map(i -> ScriptedWorkers.delta(request, piece)),
                Multi.createFrom().item(ScriptedWorkers.finished(request, "stop", pieces)));
        try (RawClient client = new RawClient(server.getPort(), 4096)) {
            client.chat("{\"stream\":true," + USER + "}");
            String start = client.readUntil(piece);
            assertTrue(produced.get() < pieces, "the whole answer was produced for a client that reads none of it");
            String rest = start + client.readUntil("data: [DONE]");
            assertEquals(pieces, rest.split(piece, -1).length - 1);
        }
    }

    @Test
    void aReaderThatReadsNothingIsDisconnected() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        workers.script = request -> Multi.createBy().concatenating().streams(
                Multi.createFrom().item(ScriptedWorkers.accepted(request)),
                Multi.createFrom().range(0, 1_000_000).map(i -> ScriptedWorkers.delta(request, "x".repeat(1000))))
                .onCancellation().invoke(cancelled::countDown);
        try (RawClient client = new RawClient(server.getPort(), 4096)) {
            client.chat("{\"stream\":true," + USER + "}");
            assertTrue(cancelled.await(10, TimeUnit.SECONDS));
        }
    }

    // ---- clients that leave --------------------------------------------------------------------------------------

    /** Generations that give some frames and then wait for ever. */
    private static final class Unfinished {
        final AtomicLong open = new AtomicLong();
        final CountDownLatch waiting;
        final CountDownLatch cancelled;

        Unfinished(int generations) {
            waiting = new CountDownLatch(generations);
            cancelled = new CountDownLatch(generations);
        }

        Multi<OfRequest> after(OfRequest... frames) {
            return Multi.createBy().concatenating().streams(
                    Multi.createFrom().items(frames),
                    Multi.createFrom().<OfRequest>nothing().onSubscription().invoke(waiting::countDown))
                    .onSubscription().invoke(open::incrementAndGet)
                    .onCancellation().invoke(() -> {
                        open.decrementAndGet();
                        cancelled.countDown();
                    });
        }

        void awaitWaiting() throws InterruptedException {
            assertTrue(waiting.await(10, TimeUnit.SECONDS), "the generations began");
        }

        void awaitCancelled() throws InterruptedException {
            assertTrue(cancelled.await(10, TimeUnit.SECONDS), "all of them are cancelled");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesCancelsItsGenerations(boolean stream) throws Exception {
        Unfinished generations = new Unfinished(2);
        workers.script = request -> generations.after(ScriptedWorkers.accepted(request),
                ScriptedWorkers.delta(request, "Hello"));
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"n\":2,\"stream\":" + stream + "," + USER + "}");
            if (stream) {
                client.readUntil("Hello");
            }
            generations.awaitWaiting();
        }
        generations.awaitCancelled();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesIsNoErrorOfTheServer(boolean stream) throws Exception {
        List<String> errors = new CopyOnWriteArrayList<>();
        Handler handler = new ExtHandler() {
            @Override
            protected void doPublish(ExtLogRecord line) {
                if (line.getLevel().intValue() >= Level.ERROR.intValue()) {
                    errors.add(line.getFormattedMessage());
                }
            }
        };
        Logger root = Logger.getLogger("");
        root.addHandler(handler);
        try {
            aClientThatLeavesTheQueueCancelsItsGeneration(stream);
            workers.script = request -> ScriptedWorkers.text(request, "Hello");
            for (int i = 0; i < 3; i++) {
                chat("").statusCode(200);
            }
        } finally {
            root.removeHandler(handler);
        }
        assertEquals(List.of(), errors);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesTheQueueCancelsItsGeneration(boolean stream) throws Exception {
        Unfinished generation = new Unfinished(1);
        workers.script = request -> generation.after();
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":" + stream + "," + USER + "}");
            generation.awaitWaiting();
        }
        generation.awaitCancelled();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeftBeforeItsGenerationBeganLeavesNothingBehind(boolean stream) throws Exception {
        Unfinished generation = new Unfinished(1);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        workers.script = request -> {
            HttpServerResponse response = Arc.container().instance(CurrentVertxRequest.class).get().getCurrent().response();
            asked.countDown();
            until("the connection's end", response::closed);
            left.countDown();
            return generation.after(ScriptedWorkers.accepted(request));
        };
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                    + "\"image_url\":\"" + TestImages.png(60, 40) + "\"}]}]}");
            assertTrue(asked.await(10, TimeUnit.SECONDS));
        }
        assertTrue(left.await(10, TimeUnit.SECONDS));
        until("memory and generation given up", () -> budget.free() == budget.total() && generation.open.get() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatResetsItsStreamKeepsItsConnection(boolean stream) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        Function<String, HttpRequest> post = json -> HttpRequest.newBuilder(server.resolve(CHAT))
                .header("Content-Type", "application/json").header("Authorization", "Bearer " + ScriptedWorkers.KEY)
                .POST(HttpRequest.BodyPublishers.ofString(json)).build();
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        HttpRequest quick = post.apply("{" + USER + "}");
        assertEquals(HttpClient.Version.HTTP_2, client.send(quick, HttpResponse.BodyHandlers.discarding()).version());

        Unfinished generation = new Unfinished(1);
        workers.script = request -> generation.after(ScriptedWorkers.accepted(request));
        CompletableFuture<?> endless = client.sendAsync(post.apply("{\"stream\":" + stream + "," + USER + "}"),
                HttpResponse.BodyHandlers.ofString());
        generation.awaitWaiting();
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        assertEquals(200, client.send(quick, HttpResponse.BodyHandlers.discarding()).statusCode());
        endless.cancel(true);
        generation.awaitCancelled();
        assertEquals(200, client.send(quick, HttpResponse.BodyHandlers.discarding()).statusCode());
    }

    // ---- errors --------------------------------------------------------------------------------------------------

    static List<Object[]> refusals() {
        return List.of(
                new Object[] {new WorkerException.QueueFull("full"), 429, "queue_full", true},
                new Object[] {new WorkerException.NotReady(ModelWorker.State.RESTARTING, "why"), 503, "worker_restarting", true},
                new Object[] {new WorkerException.NotReady(ModelWorker.State.DRAINING, "why"), 503, "draining", true},
                new Object[] {new WorkerException.Died("why"), 503, "worker_restarting", true},
                new Object[] {new WorkerException.DeadlineExceeded("why"), 504, "deadline_exceeded", false},
                new Object[] {new WorkerException.Quarantined("why"), 422, "input_quarantined", false},
                new Object[] {new WorkerException.Rejected("context_length_exceeded", "why", "messages"), 400,
                        "context_length_exceeded", false},
                new Object[] {new WorkerException.Rejected("internal_error", "secret", null), 500, "internal_error", false});
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsRefusedBeforeTheFirstTokenHasAStatus(WorkerException failure, int status, String code, boolean retry) {
        workers.script = request -> ScriptedWorkers.failing(failure);
        for (ValidatableResponse response : List.of(chat(""), stream(""), stream(",\"n\":2"))) {
            assertError(response, status, code)
                    .header("Retry-After", retry ? notNullValue() : nullValue())
                    .body("error.message", not(containsString("secret")));
        }
    }

    @Test
    void aDefectIsTheServersAndNamesTheRequest() {
        workers.script = request -> {
            throw new IllegalStateException("/secret/path");
        };
        ValidatableResponse response = request().header("x-request-id", "abc-123").body("{" + USER + "}")
                .post(CHAT).then();
        assertError(response, 500, "internal_error")
                .header("x-request-id", "abc-123")
                .body("error.message", containsString("abc-123"))
                .body("error.message", not(containsString("secret")));
    }

    @Test
    void modelsThatAreNotThere() {
        assertError(chat(",\"model\":\"other\""), 404, "model_not_found").body("error.param", equalTo("model"));
        assertError(chat(",\"model\":\"loading\""), 503, "model_loading").header("Retry-After", notNullValue());
        assertError(stream(",\"model\":\"loading\""), 503, "model_loading");
    }

    @Test
    void aWrongFieldIsNamedWithAndWithoutStream() {
        assertError(chat(",\"temperature\":3"), 400, "invalid_request").body("error.param", equalTo("temperature"));
        assertError(stream(",\"n\":5"), 400, "invalid_request").body("error.param", equalTo("n"));
        assertError(stream(",\"n\":1e9"), 400, "invalid_request").body("error.param", equalTo("n"));
    }

    @ParameterizedTest
    @CsvSource({"https://example.org/a.png, invalid_image_url", "'data:image/png;base64,!', invalid_base64",
            "'data:image/png;base64,aGVsbG8=', invalid_image"})
    void images(String url, String code) {
        assertError(given("{\"type\":\"image_url\",\"image_url\":\"" + url + "\"}"), 400, code)
                .body("error.param", equalTo("messages[0].content[0].image_url"));
    }

    @Test
    void brokenBodies() {
        assertError(request().body("{").post(CHAT).then(), 400, "invalid_request");
        assertError(request().body("").post(CHAT).then(), 400, "invalid_request");
        assertError(request().body("[".repeat(10_000)).post(CHAT).then(), 400, "invalid_request");
        assertError(request().body(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}).post(CHAT).then(),
                400, "invalid_request");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1", "/v1/", "/v1/nothing", "/v1/chat", "/v1/chat/completions/x", "/nothing", "/q/nothing"})
    void unknownPaths(String path) {
        assertError(request().get(path).then(), 404, "not_found");
    }

    @Test
    void wrongMethodsAndTypes() {
        assertError(request().get(CHAT).then(), 405, "method_not_allowed");
        assertError(request().delete("/v1/models").then(), 405, "method_not_allowed");
        assertError(request().contentType("text/plain").body("{}").post(CHAT).then(), 415, "unsupported_media_type");
        assertError(request().accept("text/html").get("/v1/models").then(), 406, "not_acceptable");
    }

    @Test
    void aBodyThatIsTooLarge() throws Exception {
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.send("POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer "
                    + ScriptedWorkers.KEY + "\nContent-Type: application/json\nContent-Length: 99999999999\n\n", new byte[0]);
            String answer = client.readUntil("}}");
            assertTrue(answer.startsWith("HTTP/1.1 413"), answer);
            assertTrue(answer.contains("\"code\":\"request_too_large\""), answer);
        }
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.send("POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer "
                    + ScriptedWorkers.KEY + "\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n", new byte[0]);
            byte[] chunk = ("30d40\r\n" + " ".repeat(200_000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 11; i++) {
                client.send("", chunk);
            }
            String answer = client.readUntil("}}");
            assertTrue(answer.startsWith("HTTP/1.1 413"), answer);
            assertTrue(answer.contains("\"code\":\"request_too_large\""), answer);
        }
    }

    @Test
    void keys() {
        assertError(io.restassured.RestAssured.given().get("/v1/models").then(), 401, "invalid_api_key");
        assertError(io.restassured.RestAssured.given().header("Authorization", "Bearer nobody-knows-this-key")
                .body("{" + USER + "}").contentType("application/json").post(CHAT).then(), 401, "invalid_api_key");
        assertError(request().get("/admin/v1/models").then(), 403, "insufficient_permissions");
        io.restassured.RestAssured.given().get("/q/health/live").then().statusCode(200)
                .header("x-request-id", matchesPattern("req_[0-9a-f]{32}"));
    }

    // ---- models and description ------------------------------------------------------------------------------------

    @Test
    void models() {
        request().get("/v1/models").then().statusCode(200)
                .header("x-request-id", notNullValue())
                .body("object", equalTo("list"))
                .body("data.id", contains("scripted", "loading"))
                .body("data.object", contains("model", "model"))
                .body("data[0].created", notNullValue())
                .body("data[0].owned_by", equalTo("luq"))
                .body("data[0].capabilities", hasItems("chat", "vision", "tools"))
                .body("data[0].luq.state", equalTo("ready"))
                .body("data[0].luq.bits_per_weight", equalTo(4.56f))
                .body("data[0].luq.bytes", equalTo(570))
                .body("data[0].luq.quantization", equalTo("Q4_K - Medium"))
                .body("data[0].luq.slots", equalTo(4))
                .body("data[1].luq.state", equalTo("loading"));
        request().get("/v1/models/scripted").then().statusCode(200).body("id", equalTo("scripted"));
        assertError(request().get("/v1/models/other").then(), 404, "model_not_found");
        assertError(request().get("/v1/models/some/other").then(), 404, "model_not_found");
    }

    @Test
    void theDescriptionListsEveryPathAndField() {
        request().get("/q/openapi").then().statusCode(200).contentType(startsWith("application/yaml"))
                .body(containsString("openapi: 3"));
        request().get("/q/openapi?format=json").then().statusCode(200).contentType(startsWith("application/json"))
                .body("paths", hasKey("/v1/chat/completions"))
                .body("paths", hasKey("/v1/models"))
                .body("paths", hasKey("/v1/models/{id}"))
                .body("components.schemas.ChatCompletionRequest.properties.keySet()", hasItems("model", "messages",
                        "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty",
                        "repeat_penalty", "seed", "logit_bias", "n", "max_completion_tokens", "max_tokens", "stop",
                        "logprobs", "top_logprobs", "response_format", "tools", "tool_choice", "parallel_tool_calls",
                        "stream", "stream_options", "cache_prompt", "timings"))
                .body("components.schemas.ErrorDetail.required", hasItems("message", "type", "code"));
    }

    // ---- helpers -------------------------------------------------------------------------------------------------

    private static RequestSpecification request() {
        return io.restassured.RestAssured.given().contentType("application/json")
                .header("Authorization", "Bearer " + ScriptedWorkers.KEY);
    }

    private static ValidatableResponse chat(String fields) {
        return request().body("{" + USER + fields + "}").post(CHAT).then();
    }

    private static ValidatableResponse stream(String fields) {
        return chat(fields + ",\"stream\":true");
    }

    private static ValidatableResponse assertError(ValidatableResponse response, int status, String code) {
        return response.statusCode(status)
                .contentType("application/json")
                .header("x-request-id", notNullValue())
                .body("error.code", equalTo(code))
                .body("error.message", notNullValue())
                .body("error.type", notNullValue())
                .body("error", hasKey("param"));
    }

    private static List<JsonNode> chunks(String events) throws Exception {
        List<JsonNode> chunks = new ArrayList<>();
        for (String event : events.split("\n\n")) {
            assertTrue(event.startsWith("data: "), event);
            if (!event.equals("data: [DONE]")) {
                chunks.add(JSON.readTree(event.substring("data: ".length())));
            }
        }
        return chunks;
    }
}
