package dev.luq;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The server as a newcomer meets it: pictures that the demo model never saw, asked about over HTTP. A second model, of
 * random weights, speaks for as long as it is told to.
 */
@Integration
@QuarkusTest
@TestProfile(DemoModelTest.DemoAndTiny.class)
class DemoModelTest {

    public static class DemoAndTiny implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            String tiny = "src/test/resources/reference/";
            return Map.of(
                    "luq.models.demo.model",
                    "models/demo/luq-demo-F16.gguf",
                    "luq.models.demo.mmproj",
                    "models/demo/mmproj-luq-demo-F16.gguf",
                    "luq.models.demo.default",
                    "true",
                    "luq.models.tiny.model",
                    tiny + "llava-tiny-F16.gguf",
                    "luq.models.tiny.mmproj",
                    tiny + "mmproj-llava-tiny-F16.gguf",
                    "luq.worker.threads",
                    "1",
                    "quarkus.shutdown.timeout",
                    "0S",
                    "luq.worker.drain-time",
                    "0S");
        }
    }

    private static final Path EXAMPLES = Path.of("models/demo/examples");
    private static final JsonMapper JSON = new JsonMapper();

    private record Example(List<String> images, String question, String answer) {

        ObjectNode request() throws IOException {
            ObjectNode request = JSON.createObjectNode().put("model", "demo").put("temperature", 0);
            ArrayNode parts =
                    request.putArray("messages").addObject().put("role", "user").putArray("content");
            for (String image : images) {
                image(parts, "png", Files.readAllBytes(EXAMPLES.resolve(image)));
            }
            parts.addObject().put("type", "text").put("text", question);
            return request;
        }
    }

    @Inject
    ModelWorkers workers;

    @TestHTTPResource("/v1/chat/completions")
    URI chat;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeEach
    void waitUntilReady() {
        workers.all().forEach(w -> until(w.modelId() + " is ready", () -> w.state() == ModelWorker.State.READY));
    }

    @Test
    void everyExampleIsAnsweredRight() throws Exception {
        for (Example example : examples()) {
            assertEquals(example.answer, content(answer(example.request())), example.toString());
        }
    }

    @Test
    void everyExampleIsAnsweredRightThroughTheMessagesApi() throws Exception {
        for (Example example : examples()) {
            ObjectNode request = JSON.createObjectNode()
                    .put("model", "demo")
                    .put("temperature", 0)
                    .put("max_tokens", 64);
            ArrayNode blocks =
                    request.putArray("messages").addObject().put("role", "user").putArray("content");
            for (String image : example.images) {
                blocks.addObject()
                        .put("type", "image")
                        .putObject("source")
                        .put("type", "base64")
                        .put("media_type", "image/png")
                        .put("data", Files.readAllBytes(EXAMPLES.resolve(image)));
            }
            blocks.addObject().put("type", "text").put("text", example.question);
            given().contentType("application/json")
                    .body(request.toString())
                    .post("/v1/messages")
                    .then()
                    .statusCode(200)
                    .body("content[0].text", equalTo(example.answer))
                    .body("stop_reason", equalTo("end_turn"));
        }
    }

    @Test
    void theFormatOfThePictureDoesNotMatter() throws Exception {
        Example example = examples().get(1);
        BufferedImage picture =
                ImageIO.read(EXAMPLES.resolve(example.images.get(0)).toFile());
        for (String format : List.of("png", "jpeg", "gif")) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            assertTrue(ImageIO.write(picture, format, bytes));
            ObjectNode request = example.request();
            ArrayNode parts = (ArrayNode) request.at("/messages/0/content");
            parts.remove(0);
            image(parts, format, bytes.toByteArray());
            assertEquals(example.answer, content(answer(request)), format);
        }
    }

    @Test
    void aSecondQuestionAboutTheSamePictureReusesIt() throws Exception {
        JsonNode turns = JSON.readTree(EXAMPLES.resolve("dialogue.json").toFile());
        ObjectNode request =
                new Example(examples().get(0).images, turns.at("/0/0").asText(), null).request();
        JsonNode answer = answer(request);
        ArrayNode messages = (ArrayNode) request.get("messages");
        messages.addObject().put("role", "assistant").put("content", content(answer));
        messages.addObject().put("role", "user").set("content", turns.at("/1/0"));
        JsonNode second = answer(request);
        assertEquals(turns.at("/0/1").asText(), content(answer));
        assertEquals(turns.at("/1/1").asText(), content(second));
        int promptBefore = answer.at("/usage/prompt_tokens").asInt();
        assertTrue(second.at("/usage/prompt_tokens_details/cached_tokens").asInt() >= promptBefore, second.toString());
    }

    @Test
    void fourClientsAtOnceWithPicturesOfTheirOwnAreAllAnsweredRight() throws Exception {
        List<Example> examples = examples().stream().skip(1).limit(4).toList();
        ExecutorService clients = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 3; round++) {
                List<Future<String>> answers = examples.stream()
                        .map(e -> clients.submit(
                                () -> String.join("", stream(e.request().put("stream", true)))))
                        .toList();
                for (int i = 0; i < answers.size(); i++) {
                    assertEquals(
                            examples.get(i).answer,
                            answers.get(i).get(),
                            examples.get(i).toString());
                }
            }
        } finally {
            clients.shutdownNow();
        }
    }

    @Test
    void aWorkerKilledInMidStreamEndsTheStreamWithAnErrorAndIsReplaced() throws Exception {
        ModelWorker tiny = workers.find("tiny").orElseThrow();
        long pid = tiny.pid().orElseThrow();
        ObjectNode endless =
                JSON.createObjectNode().put("model", "tiny").put("stream", true).put("max_tokens", 4000);
        endless.putObject("logit_bias").put("2", -100);
        endless.putArray("messages").addObject().put("role", "user").put("content", "Speak.");
        HttpResponse<InputStream> response = post(endless);
        assertEquals(200, response.statusCode());
        StringBuilder received = new StringBuilder();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            int chunks = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                received.append(line).append('\n');
                if (line.startsWith("data: ") && ++chunks == 5) {
                    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
                }
            }
        }
        assertTrue(
                received.toString().matches("(?s).*\nevent: error\ndata: \\{\"error\":.*\"worker_restarting\".*"),
                received.toString());
        until(
                "another worker is ready",
                () -> tiny.state() == ModelWorker.State.READY
                        && tiny.pid().filter(next -> next != pid).isPresent());
        assertEquals(
                200,
                post(endless.deepCopy().put("stream", false).put("max_tokens", 1))
                        .statusCode());
        Example example = examples().get(0);
        assertEquals(example.answer, content(answer(example.request())), "the other model went on");
    }

    private static final String PAINT =
            """
            [{"type":"function","function":{"name":"paint","parameters":{"type":"object","properties":
            {"colour":{"enum":["red","blue"]}},"required":["colour"],"additionalProperties":false}}}]""";

    /** One model's template knows tools, the other one's does not; neither was trained to call them. */
    @Test
    void aCallThatIsRequiredComes() throws Exception {
        for (String model : List.of("demo", "tiny")) {
            ObjectNode request = JSON.createObjectNode()
                    .put("model", model)
                    .put("tool_choice", "required")
                    .put("seed", 1)
                    .put("parallel_tool_calls", false)
                    .put("max_tokens", 400);
            request.putArray("messages").addObject().put("role", "user").put("content", "Hello.");
            request.set("tools", JSON.readTree(PAINT));
            JsonNode choice = answer(request).at("/choices/0");
            assertEquals("tool_calls", choice.get("finish_reason").asText(), choice.toString());
            assertTrue(choice.at("/message/content").isNull(), choice.toString());
            JsonNode call = choice.at("/message/tool_calls/0/function");
            assertEquals("paint", call.get("name").asText());
            String colour =
                    JSON.readTree(call.get("arguments").asText()).get("colour").asText();
            assertTrue(List.of("red", "blue").contains(colour), choice.toString());
            request.putObject("tool_choice")
                    .put("type", "function")
                    .putObject("function")
                    .put("name", "paint");
            List<JsonNode> calls = new ArrayList<>();
            events(request.put("stream", true))
                    .forEach(event -> event.at("/choices/0/delta/tool_calls").forEach(calls::add));
            assertTrue(calls.size() > 1, "arguments come as they are written");
            for (JsonNode piece : calls) {
                assertEquals(piece == calls.get(0), piece.hasNonNull("id"));
                assertEquals(0, piece.get("index").asInt());
            }
        }
    }

    @Test
    void withASchemaTheAnswerIsACallOrWhatTheSchemaSays() throws Exception {
        ObjectNode request = JSON.createObjectNode()
                .put("model", "tiny")
                .put("temperature", 2)
                .put("max_tokens", 300);
        request.putArray("messages").addObject().put("role", "user").put("content", "Hello.");
        request.set("tools", JSON.readTree(PAINT));
        request.putObject("response_format")
                .put("type", "json_schema")
                .putObject("json_schema")
                .set(
                        "schema",
                        JSON.readTree(
                                """
                                {"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"required":["n"],
                                "additionalProperties":false,"$defs":{"n":{"enum":[1,2]}}}"""));
        int calls = 0;
        int answers = 0;
        for (int seed = 0; seed < 30 && (calls == 0 || answers == 0); seed++) {
            JsonNode choice = answer(request.put("seed", seed)).at("/choices/0");
            if (choice.get("finish_reason").asText().equals("tool_calls")) {
                assertTrue(choice.at("/message/content").isNull(), choice.toString());
                calls++;
            } else {
                int n = JSON.readTree(choice.at("/message/content").asText())
                        .at("/n")
                        .asInt();
                assertTrue(n == 1 || n == 2, choice.toString());
                answers++;
            }
        }
        assertTrue(calls > 0 && answers > 0, calls + " calls, " + answers + " answers");
    }

    @Test
    void aPictureInAToolsResultIsSeen() throws Exception {
        Example example = examples().get(1);
        ObjectNode request = example.request();
        ArrayNode messages = (ArrayNode) request.get("messages");
        JsonNode asked = messages.remove(0);
        messages.addObject().put("role", "user").put("content", "Look.");
        ObjectNode call = messages.addObject().put("role", "assistant").putNull("content");
        call.putArray("tool_calls")
                .addObject()
                .put("id", "1")
                .putObject("function")
                .put("name", "camera")
                .put("arguments", "");
        messages.addObject().put("role", "tool").put("tool_call_id", "1").set("content", asked.get("content"));
        assertTrue(answer(request.put("max_tokens", 8))
                        .at("/usage/prompt_tokens_details/image_tokens")
                        .asInt()
                > 0);
    }

    @Test
    void anAnswerContinuesItsBeginning() throws Exception {
        for (Example example : examples()) {
            if (example.answer.length() > 4) {
                int half = example.answer.indexOf(' ') < 0 ? example.answer.length() / 2 : example.answer.indexOf(' ');
                ObjectNode request = example.request();
                request.withArray("messages")
                        .addObject()
                        .put("role", "assistant")
                        .put("content", example.answer.substring(0, half));
                assertEquals(example.answer.substring(half), content(answer(request)), example.toString());
                return;
            }
        }
    }

    @Test
    void aGrammarIsFollowed() throws Exception {
        ObjectNode request = examples().get(0).request().put("grammar", "root ::= \"blue\" | \"red\"");
        assertTrue(content(answer(request)).matches("blue|red"));
        HttpResponse<InputStream> wrong = post(request.put("grammar", "root ::= missing"));
        assertEquals(400, wrong.statusCode());
        assertEquals("grammar", JSON.readTree(wrong.body()).at("/error/param").asText());
    }

    private static List<Example> examples() throws IOException {
        List<Example> examples = new ArrayList<>();
        for (String line : Files.readAllLines(EXAMPLES.resolve("examples.jsonl"))) {
            JsonNode json = JSON.readTree(line);
            examples.add(new Example(
                    texts(json.get("image")),
                    json.get("question").asText(),
                    json.get("answer").asText()));
        }
        return examples;
    }

    private static List<String> texts(JsonNode oneOrMoreOrNone) {
        List<String> texts = new ArrayList<>();
        if (oneOrMoreOrNone.isTextual()) {
            texts.add(oneOrMoreOrNone.asText());
        }
        oneOrMoreOrNone.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static void image(ArrayNode parts, String format, byte[] bytes) {
        parts.addObject()
                .put("type", "image_url")
                .putObject("image_url")
                .put(
                        "url",
                        "data:image/" + format + ";base64,"
                                + Base64.getEncoder().encodeToString(bytes));
    }

    private JsonNode answer(ObjectNode request) throws Exception {
        HttpResponse<InputStream> response = post(request);
        JsonNode answer = JSON.readTree(response.body());
        assertEquals(200, response.statusCode(), answer.toString());
        return answer;
    }

    private static String content(JsonNode answer) {
        return answer.at("/choices/0/message/content").asText();
    }

    /** @return the deltas' contents */
    private List<String> stream(ObjectNode request) throws Exception {
        return events(request).stream()
                .map(event -> event.at("/choices/0/delta/content").asText(""))
                .filter(text -> !text.equals("null"))
                .toList();
    }

    private List<JsonNode> events(ObjectNode request) throws Exception {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(post(request).body(), UTF_8))) {
            List<JsonNode> events = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data: {")) {
                    events.add(JSON.readTree(line.substring(6)));
                }
            }
            return events;
        }
    }

    private HttpResponse<InputStream> post(JsonNode request) throws Exception {
        return client.send(
                HttpRequest.newBuilder(chat)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(request.toString()))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    }
}
