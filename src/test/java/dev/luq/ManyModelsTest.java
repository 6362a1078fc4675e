package dev.luq;

import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.CheckedModel;
import dev.luq.llama.ThinkingTemplates;
import dev.luq.machine.Kernels;
import dev.luq.memory.MemoryEstimate;
import dev.luq.memory.ServingShape;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The demo model under several names, all loaded on demand, of which one fits into memory; over HTTP. */
@Integration
@QuarkusTest
@TestProfile(ManyModelsTest.Profile.class)
class ManyModelsTest {

    private static final Path DEMO = Path.of("models/demo/luq-demo-F16.gguf").toAbsolutePath();
    private static final Path MMPROJ = DEMO.resolveSibling("mmproj-luq-demo-F16.gguf");
    private static final String ADMIN = "admin-key-12345678";
    private static final String USER = "user-key-12345678";
    private static final String NARROW = "narrow-key-1234567";
    private static final String MODELS = "/admin/v1/models";
    private static final String TEMPLATE = ThinkingTemplates.OPEN;

    /** Models {@code first}, {@code second} and {@code pinned}. */
    public static class Profile implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> config = new HashMap<>();
            for (String id : List.of("first", "second", "pinned")) {
                config.put("luq.models." + id + ".model", DEMO.toString());
                config.put("luq.models." + id + ".mmproj", MMPROJ.toString());
                config.put("luq.models." + id + ".load", "demand");
            }
            config.put("luq.models.first.aliases", "uno");
            config.put("luq.models.first.default", "true");
            config.put("luq.models.second.defaults.max-tokens", "1");
            config.put("luq.models.second.defaults.temperature", "0");
            config.put("luq.models.second.defaults.system-prompt", "Answer briefly.");
            config.put("luq.models.pinned.pinned", "true");
            config.put("luq.models.pinned.chat-template", TEMPLATE);
            config.put("luq.worker.memory-limit-bytes", String.valueOf(estimate() * 3 / 2));
            config.put("luq.worker.context-size", "512");
            config.put("luq.worker.slots", "2");
            config.put("luq.worker.threads", "1");
            config.put("luq.worker.image-threads", "1");
            config.put("luq.worker.kernels", "stock");
            config.put("luq.worker.drain-time", "0S");
            config.put("luq.admin.models-dir", DEMO.getParent().toString());
            config.put("luq.data-dir", dataFolder());
            config.put("luq.api.stream-keep-alive", "50ms");
            config.put(
                    "luq.api.keys",
                    "admin:" + ADMIN + ",user:" + USER + ",user:" + NARROW + " name=narrow models=second");
            config.put("quarkus.shutdown.timeout", "0S");
            return config;
        }

        /** What a worker of the demo model takes with the settings above. */
        private static long estimate() {
            CheckedModel demo = CheckedModel.read(List.of(DEMO), Optional.of(MMPROJ));
            return MemoryEstimate.asItIs(
                            demo.files(),
                            demo.projector(),
                            new ServingShape(512, 128, 2, 1, ServingShape.imageTokens(1280, 512), Kernels.STOCK))
                    .worker();
        }

        private static String dataFolder() {
            try {
                return Files.createTempDirectory(
                                Files.createDirectories(Path.of("target/many-models-test"))
                                        .toAbsolutePath(),
                                "data-")
                        .toString();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Inject
    ModelWorkers workers;

    @TestHTTPResource("/v1/chat/completions")
    URI chat;

    @BeforeEach
    void nothingIsLoaded() {
        workers.all().forEach(model -> unload(model.modelId()));
    }

    @Test
    void aServerWithoutALoadedModelIsReadyAndListsThemAll() {
        with(ADMIN).get("/q/health/ready").then().statusCode(200);
        with(ADMIN).get("/q/health/started").then().statusCode(200);
        with(USER)
                .get("/v1/models")
                .then()
                .statusCode(200)
                .body("data.status.value", everyItem(equalTo("unloaded")))
                .body("data.luq.state", everyItem(equalTo("unloaded")))
                .body("data[0].aliases", contains("first", "uno"))
                .body("data[0].capabilities", hasItem("vision"));
        with(ADMIN)
                .get(MODELS + "/first")
                .then()
                .body("load", equalTo("demand"))
                .body("pinned", equalTo(false))
                .body("keep_alive", equalTo(300f))
                .body("memory.total", greaterThan(1 << 20))
                .body("measured_bytes", equalTo(0));
    }

    @Test
    void aRequestByAliasLoadsTheModel() {
        double loads = metric("luq_model_load_seconds_count{model_name=\"first\"");
        ask(USER, "uno", "").statusCode(200).body("model", equalTo("first"));
        with(USER).get("/v1/models/uno").then().body("status.value", equalTo("loaded"));
        with(ADMIN)
                .get(MODELS + "/first")
                .then()
                .body("state", equalTo("ready"))
                .body("last_used", greaterThan(1_700_000_000))
                .body("measured_bytes", greaterThan(1 << 20));
        assertEquals(loads + 1, metric("luq_model_load_seconds_count{model_name=\"first\""));
    }

    @Test
    void theOneThatIsAskedForTakesTheMemoryOfTheOneThatIsIdle() {
        double evictions = metric("luq_model_unloads_total{model_name=\"first\",reason=\"evicted\"");
        ask(USER, "first", "").statusCode(200);
        ask(USER, "second", "").statusCode(200);
        with(USER).get("/v1/models/first").then().body("status.value", equalTo("unloaded"));
        assertEquals(evictions + 1, metric("luq_model_unloads_total{model_name=\"first\",reason=\"evicted\""));
        with(ADMIN).get(MODELS).then().body("memory.limit_bytes", greaterThan(1 << 20));
        ask(USER, "first", "").statusCode(200);
    }

    @Test
    void twoAtTheSameTimeAreAnsweredInTurn() {
        List<CompletableFuture<Integer>> answers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            String model = i % 2 == 0 ? "first" : "second";
            answers.add(CompletableFuture.supplyAsync(
                    () -> ask(USER, model, "").extract().statusCode()));
        }
        answers.forEach(answer -> assertEquals(200, answer.join()));
        assertEquals(
                1,
                workers.all().stream()
                        .filter(model -> model.state() == ModelWorker.State.READY)
                        .count());
    }

    @Test
    void aStreamSaysHowFarLoadingIs() throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(chat)
                                .header("Authorization", "Bearer " + USER)
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body("first", "\"stream\":true,")))
                                .build(),
                        HttpResponse.BodyHandlers.ofString(UTF_8));
        assertEquals(200, response.statusCode());
        assertTrue(response.body().startsWith(": loading "), response.body());
        assertTrue(response.body().endsWith("data: [DONE]\n\n"), response.body());
    }

    @Test
    void aRequestThatIsNotValidIsRefusedWhenItsModelIsLoaded() {
        ask(USER, "first", "\"temperature\":3,").statusCode(400).body("error.param", equalTo("temperature"));
    }

    @Test
    void administratorsSayHowLongAModelStays() {
        ask(USER, "first", "\"keep_alive\":0,").statusCode(200);
        with(USER).get("/v1/models/first").then().body("status.value", equalTo("loaded"));
        ask(ADMIN, "first", "\"keep_alive\":-1,").statusCode(200);
        with(ADMIN).get(MODELS + "/first").then().body("keep_alive", equalTo(-1f));
        ask(ADMIN, "first", "\"keep_alive\":\"0s\",").statusCode(200);
        until("unloaded", () -> workers.find("first").orElseThrow().state() == ModelWorker.State.UNLOADED);
        ask(ADMIN, "first", "\"keep_alive\":\"soon\",").statusCode(400).body("error.param", equalTo("keep_alive"));
    }

    @Test
    void aModelsDefaultsHoldWhereARequestSaysNothing() {
        int plain = prompt(ask(USER, "first", "\"max_tokens\":1,"));
        ValidatableResponse brief = ask(USER, "second", "").body("usage.completion_tokens", equalTo(1));
        assertTrue(prompt(brief) > plain, "the system prompt is there");
        ask(USER, "second", "\"max_tokens\":2,").body("usage.completion_tokens", equalTo(2));
    }

    @Test
    void oneThatDoesNotFitSaysWhatIsInItsWayToThoseWhoMayKnow() {
        ask(USER, "pinned", "").statusCode(200);
        ask(USER, "second", "")
                .statusCode(507)
                .body("error.code", equalTo("model_does_not_fit"))
                .body("error.message", containsString("pinned ("));
        ask(NARROW, "second", "")
                .statusCode(507)
                .body("error.message", allOf(containsString("stay loaded"), not(containsString("pinned"))));
        with(ADMIN)
                .post(MODELS + "/second/load")
                .then()
                .statusCode(507)
                .body("error.code", equalTo("model_does_not_fit"));
        with(ADMIN).post(MODELS + "/pinned/unload").then().statusCode(200);
        with(ADMIN).post(MODELS + "/second/load").then().statusCode(200).body("state", equalTo("ready"));
    }

    @Test
    void aModelIsRegisteredToBeLoadedOnDemand() {
        with(ADMIN)
                .contentType("application/json")
                .body("{\"id\":\"late\",\"model\":\"luq-demo-F16.gguf\",\"load\":\"demand\",\"keep_alive\":\"1m\"}")
                .post(MODELS)
                .then()
                .statusCode(201)
                .body("state", equalTo("unloaded"))
                .body("keep_alive", equalTo(60f))
                .body("last_used", nullValue());
        ask(USER, "late", "").statusCode(200);
        with(ADMIN).delete(MODELS + "/late").then().statusCode(204);
        ask(USER, "late", "").statusCode(404);
    }

    @Test
    void aConfiguredChatTemplateTakesThePlaceOfTheModelsOwn() {
        with(USER)
                .contentType("application/json")
                .body(body("pinned", ""))
                .post("/apply-template")
                .then()
                .statusCode(200)
                .body("prompt", equalTo("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n<think>\n"));
        with(USER).get("/props?model=pinned").then().body("chat_template", equalTo(TEMPLATE));
        with(USER).get("/props?model=first").then().body("chat_template", not(equalTo(TEMPLATE)));
        assertTrue(prompt(ask(USER, "pinned", "\"max_tokens\":1,")) > 0);
    }

    @Test
    void thoughtsThatThePromptOpensAreOpenedInTheAnswerTooUnlessTheyAreToldFromIt() {
        String content = ask(USER, "pinned", "\"max_tokens\":4,")
                .statusCode(200)
                .extract()
                .path("choices[0].message.content");
        assertTrue(content.startsWith("<think>\n"), content);
        assertEquals(content.lastIndexOf("<think>"), 0, content);
        ask(USER, "pinned", "\"max_tokens\":4,\"reasoning_format\":\"deepseek\",")
                .statusCode(200)
                .body("choices[0].message.content", not(containsString("<think>")));
    }

    private static int prompt(ValidatableResponse answer) {
        return answer.statusCode(200).extract().path("usage.prompt_tokens");
    }

    private void unload(String id) {
        with(ADMIN).post(MODELS + "/" + id + "/unload").then().statusCode(200);
    }

    private static RequestSpecification with(String key) {
        return RestAssured.given().header("Authorization", "Bearer " + key);
    }

    private static ValidatableResponse ask(String key, String model, String fields) {
        return with(key)
                .contentType("application/json")
                .body(body(model, fields))
                .post("/v1/chat/completions")
                .then();
    }

    private static String body(String model, String fields) {
        return "{\"model\":\"" + model + "\"," + fields + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    }

    private static double metric(String series) {
        return with(ADMIN)
                .get("/metrics")
                .then()
                .statusCode(200)
                .extract()
                .asString()
                .lines()
                .filter(line -> line.startsWith(series))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(series + " is not in the scrape"));
    }
}
