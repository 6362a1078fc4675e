package dev.luq.admin;

import static dev.luq.Until.until;
import static dev.luq.admin.AdminProfile.admin;
import static dev.luq.admin.AdminProfile.json;
import static dev.luq.admin.AdminProfile.user;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models and what they are served from, changed over HTTP while they answer. */
@Integration
@QuarkusTest
@TestProfile(AdminProfile.Scripted.class)
class ModelsAdminTest {

    private static final String MODELS = "/admin/v1/models";
    private static final String QUESTION = "{\"model\":\"%s\",\"stream\":%s,\"max_tokens\":%d,\"temperature\":0,"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

    /** One, as each keeps its connections. */
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @Inject
    ModelWorkers workers;

    @TestHTTPResource("/v1/chat/completions")
    URI chat;

    @BeforeEach
    void tinyIsReadyOnItsBase() {
        await("tiny");
        activate("tiny", "base", "overlap").statusCode(200);
    }

    @Test
    void onlyAdministratorsMayAdminister() {
        user().get(MODELS).then().statusCode(403).body("error.code", equalTo("insufficient_permissions"));
        RestAssured.get(MODELS).then().statusCode(401);
        user().contentType("application/json")
                .body("{}")
                .post("/admin/v1/plans")
                .then()
                .statusCode(403);
        user().get("/admin/v1/requantizations").then().statusCode(403);
        user().contentType("application/zip")
                .body(new byte[1])
                .post("/admin/v1/calibration-sets")
                .then()
                .statusCode(403);
    }

    @Test
    void pagesOfOtherSitesMayNotAdminister() {
        admin().header("Origin", "http://evil.example")
                .post(MODELS + "/tiny/unload")
                .then()
                .statusCode(403);
        admin().header("Origin", "http://evil.example").get(MODELS).then().statusCode(200);
        assertEquals(ModelWorker.State.READY, workers.find("tiny").orElseThrow().state());
    }

    @Test
    void modelsAreListedWithoutPaths() {
        String body = admin().get(MODELS)
                .then()
                .statusCode(200)
                .body("object", equalTo("list"))
                .body("data[0].id", equalTo("tiny"))
                .body("data[0].default", equalTo(true))
                .body("data[0].source", equalTo("configured"))
                .body("data[0].state", equalTo("ready"))
                .body("data[0].files", contains("qwen2.5-vl-tiny-F16.gguf"))
                .body("data[0].mmproj", equalTo("mmproj-qwen2.5-vl-tiny-F16.gguf"))
                .body("data[0].aliases", contains("small"))
                .body("data[0].variant", nullValue())
                .body("data[0].quantization", equalTo("F16"))
                .body("data[0].kernels", equalTo("fast"))
                .body("data[0].memory.weights", greaterThan(1_000_000))
                .body("data[0].memory.total", greaterThan(100_000_000))
                .extract()
                .asString();
        assertFalse(body.contains(AdminProfile.MODELS.toString()), body);
        admin().get(MODELS + "/tiny").then().statusCode(200).body("id", equalTo("tiny"));
        admin().get(MODELS + "/small").then().statusCode(404).body("error.code", equalTo("not_found"));
    }

    @Test
    void aModelComesIsUsedAndGoes() {
        String model = "{\"id\":\"second\",\"model\":\"llava-tiny-F16.gguf\",\"mmproj\":\"mmproj-llava-tiny-F16.gguf\","
                + "\"aliases\":[\"two\"],\"kernels\":\"stock\"}";
        json(model.replace("stock", "slow"))
                .post(MODELS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("kernels"));
        json(model)
                .post(MODELS)
                .then()
                .statusCode(201)
                .header("Location", endsWith("/admin/v1/models/second"))
                .body("source", equalTo("registered"))
                .body("kernels", equalTo("stock"));
        json(model).post(MODELS).then().statusCode(200);
        await("second");
        user().get("/v1/models").then().body("data.id", contains("tiny", "second"));
        ask("two").then().statusCode(200).body("model", equalTo("second"));
        assertTrue(metrics().contains("luq_model_info{bits_per_weight=")
                && metrics().contains("model_name=\"second\""));
        json(model.replace("[\"two\"]", "[\"small\"]").replace("second", "third"))
                .post(MODELS)
                .then()
                .statusCode(409)
                .body("error.code", equalTo("conflict"));
        json("{\"aliases\":[\"zwei\"]}")
                .put(MODELS + "/second/aliases")
                .then()
                .statusCode(200)
                .body("aliases", contains("zwei"));
        ask("two").then().statusCode(404);

        admin().post(MODELS + "/second/default").then().statusCode(200).body("default", equalTo(true));
        admin().delete(MODELS + "/second").then().statusCode(409);
        admin().post(MODELS + "/tiny/default").then().statusCode(200);
        admin().delete(MODELS + "/second").then().statusCode(204);
        ask("second").then().statusCode(404);
        assertFalse(metrics().contains("model_name=\"second\""));
        admin().delete(MODELS + "/second").then().statusCode(404);
        admin().delete(MODELS + "/tiny").then().statusCode(409).body("error.message", containsString("configured"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../reference/llava-tiny-F16.gguf/../../../pom.xml", "/etc/passwd", "none.gguf", "", "a\\u0000b"
            })
    void filesElsewhereAreNoModels(String file) {
        json("{\"id\":\"x\",\"model\":\"" + file + "\"}")
                .post(MODELS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("model"))
                .body("error.message", equalTo("model must name a file in the folder of luq.admin.models-dir"));
    }

    @Test
    void whatIsNoModelIsRefused() {
        json("{\"id\":\"x\",\"model\":\"make_reference.py\"}")
                .post(MODELS)
                .then()
                .statusCode(422)
                .body("error.code", equalTo("invalid_model"))
                .body("error.message", not(containsString("/")));
        json("{\"id\":\"../x\",\"model\":\"llava-tiny-F16.gguf\"}")
                .post(MODELS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("id"));
        json("{\"model\":\"llava-tiny-F16.gguf\"}")
                .post(MODELS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("id"));
        json("{\"id\":7}").post(MODELS).then().statusCode(400);
        json("[").post(MODELS).then().statusCode(400);
        admin().contentType("text/plain").body("x").post(MODELS).then().statusCode(415);
    }

    @Test
    void anUnloadedModelHasNoProcessAndIsLoadedAgain() {
        long pid = workers.find("tiny").orElseThrow().pid().orElseThrow();
        admin().post(MODELS + "/tiny/unload").then().statusCode(200).body("state", equalTo("unloaded"));
        assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
        ask("tiny")
                .then()
                .statusCode(503)
                .header("Retry-After", notNullValue())
                .body("error.code", equalTo("model_not_loaded"));
        admin().get("/q/health/ready").then().statusCode(503);
        activate("tiny", "low", "auto").statusCode(200).body("swap", equalTo("none"));
        admin().post(MODELS + "/tiny/load")
                .then()
                .statusCode(200)
                .body("state", equalTo("ready"))
                .body("variant.id", equalTo("low"));
        admin().get("/q/health/ready").then().statusCode(200);
        ask("tiny").then().statusCode(200);
        admin().post(MODELS + "/tiny/load").then().statusCode(200);
    }

    @Test
    void aVariantTakesTheBasesPlace() throws Exception {
        activate("tiny", "low", "auto")
                .statusCode(200)
                .body("swap", equalTo("overlap"))
                .body("model.variant.id", equalTo("low"))
                .body("model.variant.budget", equalTo("60%"))
                .body("model.variant.low_layers", contains(0))
                .body("model.variant.quality.mean_kld", equalTo(0.25f));
        user().get("/v1/models/tiny")
                .then()
                .statusCode(200)
                .body("luq.variant", equalTo("low"))
                .body("luq.budget", equalTo("60%"))
                .body("luq.low_layers", contains(0))
                .body("luq.quality.mean_kld", equalTo(0.25f));
        assertTrue(
                Files.readString(AdminProfile.data().resolve("catalog.json")).contains("\"low\""),
                "a restart serves it too");
        activate("tiny", "low", "auto").statusCode(200).body("swap", equalTo("none"));
        admin().delete("/admin/v1/variants/low").then().statusCode(409);
        admin().get("/admin/v1/variants").then().statusCode(200).body("data.id", contains("high", "low"));
        admin().get("/admin/v1/variants/high").then().statusCode(200).body("layers", hasItem("Q8_0"));
        admin().get("/admin/v1/variants/none").then().statusCode(404);
        activate("tiny", "base", "pause")
                .statusCode(200)
                .body("swap", equalTo("pause"))
                .body("model.variant", nullValue());
        user().get("/v1/models/tiny").then().body("luq.variant", nullValue());
    }

    @Test
    void anActivationThatIsNotSavedIsToldEverywhereAndSavedByAskingAgain() throws Exception {
        Path catalog = AdminProfile.data().resolve("catalog.json");
        String base = modelInfo();
        Path taken = Files.createDirectories(AdminProfile.data().resolve("catalog.json.part/taken"));
        try {
            activate("tiny", "low", "auto").statusCode(507).body("error.code", equalTo("not_saved"));
        } finally {
            Files.delete(taken);
            Files.delete(taken.getParent());
        }
        user().get("/v1/models/tiny").then().body("luq.variant", equalTo("low"));
        assertNotEquals(base, modelInfo());
        activate("tiny", "low", "auto").statusCode(200).body("swap", equalTo("none"));
        assertTrue(Files.readString(catalog).contains("\"low\""), "a restart serves it too");
        activate("tiny", "base", "auto").statusCode(200);
        assertEquals(base, modelInfo());
    }

    private static String modelInfo() {
        return admin().get("/q/metrics")
                .asString()
                .lines()
                .filter(line -> line.startsWith("luq_model_info{") && line.contains("model_name=\"tiny\""))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void whatCannotBeServedIsNotActivated() {
        activate("tiny", "none", "auto").statusCode(404).body("error.code", equalTo("not_found"));
        activate("none", "low", "auto").statusCode(404);
        activate("tiny", "low", "sideways")
                .statusCode(400)
                .body("error.param", equalTo("swap"))
                .body("error.message", containsString("overlap, pause, auto"));
        json("{}").post(MODELS + "/tiny/activation").then().statusCode(400).body("error.param", equalTo("variant"));
        json("{\"id\":\"other\",\"model\":\"llava-tiny-F16.gguf\"}")
                .post(MODELS)
                .then()
                .statusCode(201);
        await("other");
        activate("other", "low", "auto").statusCode(409).body("error.message", containsString("another model"));
        admin().delete(MODELS + "/other").then().statusCode(204);
        ask("tiny").then().statusCode(200);
    }

    /** Ten changes under four clients that never stop asking: every answer is whole. */
    @Test
    void noRequestFailsWhileVariantsChange() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger answers = new AtomicInteger();
        ExecutorService clients = Executors.newFixedThreadPool(4);
        List<Future<?>> running = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                running.add(clients.submit(() -> {
                    while (!stop.get()) {
                        stream();
                        answers.incrementAndGet();
                    }
                    return null;
                }));
            }
            List<String> variants = List.of("low", "high", "base");
            List<String> modes = List.of("overlap", "pause", "auto");
            for (int i = 0; i < 10; i++) {
                int before = answers.get();
                activate("tiny", variants.get(i % 3), modes.get((i + i / 3) % 3))
                        .statusCode(200);
                until(
                        "answers",
                        () -> answers.get() > before || running.stream().anyMatch(Future::isDone));
            }
        } finally {
            stop.set(true);
            for (Future<?> client : running) {
                client.get();
            }
            clients.shutdownNow();
        }
        assertTrue(answers.get() >= 10, () -> answers + " answers");
    }

    private void stream() throws Exception {
        HttpResponse<InputStream> response = CLIENT.send(
                HttpRequest.newBuilder(chat)
                        .header("Authorization", "Bearer " + AdminProfile.USER)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(QUESTION.formatted("tiny", "true", 24)))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        List<String> lines;
        try (BufferedReader body = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            lines = body.lines().filter(line -> !line.isBlank()).toList();
        }
        assertEquals(200, response.statusCode(), lines.toString());
        assertEquals("data: [DONE]", lines.get(lines.size() - 1), lines.toString());
    }

    private Response ask(String model) {
        return user().contentType("application/json")
                .body(QUESTION.formatted(model, "false", 2))
                .post("/v1/chat/completions");
    }

    private static ValidatableResponse activate(String model, String variant, String swap) {
        return json("{\"variant\":\"" + variant + "\",\"swap\":\"" + swap + "\"}")
                .post(MODELS + "/" + model + "/activation")
                .then();
    }

    private static String metrics() {
        return admin().get("/q/metrics").then().statusCode(200).extract().asString();
    }

    private void await(String model) {
        until(model + " is ready", () -> workers.find(model)
                .filter(w -> w.state() == ModelWorker.State.READY)
                .isPresent());
    }
}
