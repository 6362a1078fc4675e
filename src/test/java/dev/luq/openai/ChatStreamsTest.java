package dev.luq.openai;

import static dev.luq.Until.completed;
import static dev.luq.Until.reached;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.luq.Integration;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.MultiEmitter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Answers as server-sent events. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ChatStreamsTest extends ScriptedApi {

    @Test
    void aStream() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hello", " world");
        String events = stream("")
                .statusCode(200)
                .contentType(startsWith("text/event-stream"))
                .header("x-request-id", notNullValue())
                .header("Cache-Control", "no-cache")
                .extract()
                .asString();
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
        assertEquals(
                "{\"role\":\"assistant\",\"content\":null}",
                chunks.get(0).at("/choices/0/delta").toString());
        assertEquals(
                "{\"content\":\"Hello\"}", chunks.get(1).at("/choices/0/delta").toString());
        assertEquals(
                "{\"content\":\" world\"}", chunks.get(2).at("/choices/0/delta").toString());
        assertTrue(chunks.get(2).at("/choices/0/finish_reason").isNull());
        assertEquals("{}", chunks.get(3).at("/choices/0/delta").toString());
        assertEquals("stop", chunks.get(3).at("/choices/0/finish_reason").asText());
    }

    @Test
    void usageComesInAChunkOfItsOwn() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        List<JsonNode> chunks = chunks(
                stream(",\"stream_options\":{\"include_usage\":true}").extract().asString());
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
    void usageComesInEveryChunkWhenItIsAskedFor() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "Hel", "lo");
        for (boolean last : new boolean[] {false, true}) {
            List<JsonNode> chunks = chunks(
                    stream(",\"stream_options\":{\"continuous_usage_stats\":true,\"include_usage\":" + last + "}")
                            .extract()
                            .asString());
            List<Integer> tokens = chunks.stream()
                    .map(chunk -> chunk.at("/usage/completion_tokens").asInt(-1))
                    .toList();
            assertEquals(last ? List.of(0, 1, 2, 2, 2) : List.of(0, 1, 2, 2), tokens);
            assertEquals(14, chunks.get(3).at("/usage/total_tokens").asInt());
            assertEquals("lo", chunks.get(2).at("/choices/0/delta/content").asText());
        }
    }

    @Test
    void aStreamOfSeveralChoices() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "a", "b");
        List<JsonNode> chunks = chunks(stream(",\"n\":2").extract().asString());
        for (int choice = 0; choice < 2; choice++) {
            int index = choice;
            List<JsonNode> own = chunks.stream()
                    .map(c -> c.at("/choices/0"))
                    .filter(c -> c.get("index").asInt() == index)
                    .toList();
            assertEquals("assistant", own.get(0).at("/delta/role").asText());
            assertEquals(
                    "ab",
                    own.get(1).at("/delta/content").asText()
                            + own.get(2).at("/delta/content").asText());
            assertEquals("stop", own.get(3).get("finish_reason").asText());
            assertEquals(4, own.size());
        }
    }

    @Test
    void thoughtsHaveAFieldOfTheirOwn() throws Exception {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        new WorkerFrame.Delta(request.id(), null, "Hm.", null, null, 1),
                        ScriptedWorkers.delta(request, "Yes."),
                        ScriptedWorkers.finished(request, "stop", 2));
        assertEquals(
                List.of(
                        "{\"role\":\"assistant\",\"content\":null}",
                        "{\"reasoning_content\":\"Hm.\"}",
                        "{\"content\":\"Yes.\"}",
                        "{}"),
                chunks(stream("").extract().asString()).stream()
                        .map(c -> c.at("/choices/0/delta").toString())
                        .toList());
    }

    @Test
    void aChunkHasOneToolCallAtMost() throws Exception {
        workers.script = request -> Multi.createFrom()
                .items(
                        ScriptedWorkers.accepted(request),
                        new WorkerFrame.Delta(
                                request.id(),
                                "Let me",
                                new WorkerFrame.ToolCallDelta(0, "call_1", "look", "{"),
                                null,
                                3),
                        ScriptedWorkers.toolCall(request, 0, null, null, "}"),
                        ScriptedWorkers.toolCall(request, 1, "call_2", "see", "{}"),
                        ScriptedWorkers.finished(request, "tool_calls", 9));
        List<String> deltas = chunks(stream("").extract().asString()).stream()
                .map(c -> c.at("/choices/0/delta").toString())
                .toList();
        assertEquals(
                List.of(
                        "{\"role\":\"assistant\",\"content\":null}",
                        "{\"content\":\"Let me\"}",
                        "{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"{\"}}]}",
                        "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]}",
                        "{\"tool_calls\":[{\"index\":1,\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"see\",\"arguments\":\"{}\"}}]}",
                        "{}"),
                deltas);
    }

    @Test
    void aFailureAfterTheFirstByteIsAnErrorEvent() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Died("The model's process ended"),
                ScriptedWorkers.accepted(request),
                ScriptedWorkers.delta(request, "Hel"));
        String events = stream("").statusCode(200).extract().asString();
        assertTrue(events.contains("\"content\":\"Hel\""), events);
        assertTrue(
                events.endsWith("\n\nevent: error\ndata: {\"error\":{\"message\":\"The model's process ended\","
                        + "\"type\":\"server_error\",\"param\":null,\"code\":\"worker_restarting\"}}\n\n"),
                events);
    }

    /** A generation whose frames come when a test says so. */
    private final class Held {
        private final CompletableFuture<ServerFrame.Generate> request = new CompletableFuture<>();
        private volatile MultiEmitter<? super WorkerFrame.OfRequest> frames;

        Held() {
            workers.script = asked -> Multi.createFrom().emitter(emitter -> {
                frames = emitter;
                request.complete(asked);
            });
        }

        void emit(Function<ServerFrame.Generate, WorkerFrame.OfRequest> frame) throws Exception {
            WorkerFrame.OfRequest next = frame.apply(completed("the request", request));
            frames.emit(next);
        }
    }

    @Test
    void aStreamWithNothingToSendSaysHowFarItsRequestIs() throws Exception {
        Held generation = new Held();
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":true," + USER + "}");
            String start = client.readUntil(": queued\n\n");
            assertEquals(200, RawClient.status(start));
            assertTrue(start.contains("text/event-stream"), start);
            generation.emit(request -> ScriptedWorkers.progress(request, WorkerFrame.Phase.ENCODING, 0.4f));
            client.readUntil(": encoding 40 %\n\n");
            generation.emit(request -> ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.358f));
            client.readUntil(": prompt 35 %\n\n");
            generation.emit(ScriptedWorkers::accepted);
            generation.emit(request -> ScriptedWorkers.delta(request, "Hello"));
            String text = client.readUntil(": generating\n\n");
            assertTrue(text.contains("\"content\":\"Hello\""), text);
            generation.emit(request -> ScriptedWorkers.finished(request, "stop", 1));
            generation.frames.complete();
            client.readUntil("data: [DONE]");
        }
    }

    @Test
    void aStreamBeginsWhenTheModelWorksOnItsRequest() throws Exception {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Rejected("image_too_large", "Too large.", "messages"),
                ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.05f));
        String events = stream("").statusCode(200).extract().asString();
        assertEquals(
                ": prompt 5 %\n\nevent: error\ndata: {\"error\":{\"message\":\"Too large.\","
                        + "\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":\"image_too_large\"}}\n\n",
                events);
    }

    @Test
    void aStreamSaysHowFarItsPromptIsWhenItIsAskedTo() throws Exception {
        Held generation = new Held();
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":true,\"return_progress\":true," + USER + "}");
            client.readUntil(": queued\n\n");
            generation.emit(request -> ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.5f));
            String told = client.readUntil("\"processed\":7");
            assertTrue(told.contains("{\"total\":12,\"cache\":3,\"processed\":3,\"time_ms\":0.0}"), told);
            generation.emit(ScriptedWorkers::accepted);
            String done = client.readUntil("\"processed\":12");
            assertFalse(done.contains("\"processed\":3"), done);
            generation.emit(request -> ScriptedWorkers.finished(request, "stop", 1));
            generation.frames.complete();
            assertFalse(client.readUntil("data: [DONE]").contains("timings"));
        }
    }

    @Test
    void theProgressThatOpensAStreamIsToldToo() throws Exception {
        Held generation = new Held();
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.chat("{\"stream\":true,\"return_progress\":true," + USER + "}");
            generation.emit(request -> ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.5f));
            String told = client.readUntil("\"processed\":7");
            assertTrue(told.contains("\"processed\":3"), told);
            generation.emit(ScriptedWorkers::accepted);
            generation.emit(request -> ScriptedWorkers.finished(request, "stop", 1));
            generation.frames.complete();
            client.readUntil("data: [DONE]");
        }
    }

    @Test
    void everyEventHasTheTimingsSoFarWhenItIsAskedTo() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "a", "b");
        List<JsonNode> chunks = chunks(stream(",\"timings_per_token\":true,\"stream_options\":{\"include_usage\":true}")
                .statusCode(200)
                .extract()
                .asString());
        assertFalse(chunks.get(0).has("timings"));
        assertEquals(
                List.of(1, 2, 2, 2),
                chunks.subList(1, chunks.size()).stream()
                        .map(chunk -> chunk.at("/timings/predicted_n").asInt())
                        .toList());
        JsonNode last = chunks.get(chunks.size() - 1).path("timings");
        assertEquals(9, last.path("prompt_n").asInt());
        assertEquals(50, last.path("predicted_per_second").asInt());
    }

    @Test
    void whatIsRefusedInTheQueueHasItsStatus() {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.QueueFull("The model is busy"),
                ScriptedWorkers.progress(request, WorkerFrame.Phase.QUEUED, 0));
        assertError(stream(""), 429, "queue_full");
    }

    @Test
    void anAnswerThatIsNoStreamSaysNothingBefore() {
        workers.script = request -> Multi.createBy()
                .concatenating()
                .streams(
                        Multi.createFrom().item(ScriptedWorkers.progress(request, WorkerFrame.Phase.PROMPT, 0.05f)),
                        ScriptedWorkers.text(request, "Hello"));
        chat("").statusCode(200).body("choices[0].message.content", equalTo("Hello"));
    }

    @Test
    void clientsSkipWhatAStreamSaysOfItsProgress() throws Exception {
        Held generation = new Held();
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.resolve("/v1").toString())
                .apiKey(ScriptedProfile.USER)
                .maxRetries(0)
                .build();
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
            StringBuilder text = new StringBuilder();
            try (StreamResponse<ChatCompletionChunk> chunks = client.chat()
                    .completions()
                    .createStreaming(ChatCompletionCreateParams.builder()
                            .model("scripted")
                            .addUserMessage("hi")
                            .build())) {
                chunks.stream()
                        .flatMap(chunk -> chunk.choices().stream())
                        .forEach(choice -> text.append(choice.delta().content().orElse("")));
            }
            return text.toString();
        });
        generation.emit(request -> ScriptedWorkers.progress(request, WorkerFrame.Phase.ENCODING, 0.4f));
        Thread.sleep(700); // two comments or three
        generation.emit(ScriptedWorkers::accepted);
        generation.emit(request -> ScriptedWorkers.delta(request, "Hello"));
        Thread.sleep(700);
        generation.emit(request -> ScriptedWorkers.delta(request, " world"));
        generation.emit(request -> ScriptedWorkers.finished(request, "stop", 2));
        generation.frames.complete();
        assertEquals("Hello world", completed("the answer", answer));
        client.close();
    }

    @Test
    void aSlowReaderGetsEverythingAndHoldsTheStreamBack() throws Exception {
        int pieces = 4000;
        String piece = "x".repeat(1000);
        AtomicLong produced = new AtomicLong();
        workers.script = request -> Multi.createBy()
                .concatenating()
                .streams(
                        ScriptedWorkers.begun(request, pieces, i -> {
                            produced.incrementAndGet();
                            return ScriptedWorkers.delta(request, piece);
                        }),
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
        workers.script = request -> ScriptedWorkers.begun(
                        request, 1_000_000, i -> ScriptedWorkers.delta(request, "x".repeat(1000)))
                .onCancellation()
                .invoke(cancelled::countDown);
        try (RawClient client = new RawClient(server.getPort(), 4096)) {
            client.chat("{\"stream\":true," + USER + "}");
            reached("the generation to be cancelled", cancelled);
        }
    }

    /** The pause between its requests is longer than the one after which who reads nothing is disconnected. */
    @Test
    void aReaderOfAnAnswerThatHasFailedKeepsItsConnection() throws Exception {
        workers.script = request -> ScriptedWorkers.failing(
                new WorkerException.Died("The model's process died"),
                ScriptedWorkers.accepted(request),
                ScriptedWorkers.delta(request, "x".repeat(8 << 20)));
        try (RawClient client = new RawClient(server.getPort(), 4096)) {
            client.chat("{\"stream\":true," + USER + "}");
            client.readUntil("process died");
            Thread.sleep(1000);
            workers.script = request -> ScriptedWorkers.text(request, "Hello");
            client.chat("{" + USER + "}");
            client.readUntil("Hello");
        }
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
