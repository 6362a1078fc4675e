package dev.luq.openai.llamaserver;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;

import dev.luq.Integration;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server with the settings by which it behaves as llama-server does unless it is told otherwise. */
@Integration
@QuarkusTest
@TestProfile(LlamaServerSettingsTest.Settings.class)
class LlamaServerSettingsTest {

    /** Two slots of 256 tokens each. */
    public static class Settings implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "luq.models.tiny.model", "src/test/resources/reference/llava-tiny-F16.gguf",
                    "luq.models.tiny.aliases", "small,fim",
                    "luq.models.tiny.tags", "chat,tiny",
                    "luq.worker.slots", "2",
                    "luq.worker.context-size", "512",
                    "luq.worker.slot-context-size", "256",
                    "luq.worker.threads", "1",
                    "luq.api.any-model-name", "true",
                    "quarkus.shutdown.timeout", "0S",
                    "luq.worker.drain-time", "0S");
        }
    }

    @Inject
    ModelWorkers workers;

    @BeforeEach
    void waitUntilReady() {
        until("the model to be ready", () -> workers.find("tiny").orElseThrow().state() == ModelWorker.State.READY);
    }

    private static ValidatableResponse complete(String fields) {
        return given().contentType("application/json")
                .body("{" + fields + "}")
                .post("/completion")
                .then();
    }

    @Test
    void aRequestMayTakeItsSlotsPartOfTheContext() {
        given().get("/props").then().body("default_generation_settings.n_ctx", equalTo(256));
        given().get("/slots").then().body("n_ctx", contains(256, 256));
        given().get("/v1/models/tiny")
                .then()
                .body("luq.identity", matchesPattern("[0-9a-f]{32}"))
                .body("luq.context_size", equalTo(512))
                .body("luq.slot_context_size", equalTo(256));
        String tokens = "5, ".repeat(255) + "5";
        complete("\"prompt\": [" + tokens + "]")
                .statusCode(400)
                .body("error.type", equalTo("exceed_context_size_error"))
                .body("error.n_prompt_tokens", equalTo(256))
                .body("error.n_ctx", equalTo(256));
        complete("\"prompt\": [5, 5, 5, 5, 5, 5], \"ignore_eos\": true, \"n_predict\": -1")
                .statusCode(200)
                .body("tokens_evaluated", equalTo(6))
                .body("tokens_predicted", equalTo(250))
                .body("stop_type", equalTo("limit"));
    }

    @Test
    void aNameThatNoModelHasIsTheDefaultOnes() {
        complete("\"prompt\": \"a\", \"n_predict\": 1, \"model\": \"gpt-4o\"")
                .statusCode(200)
                .body("model", equalTo("tiny"));
        given().get("/v1/models/gpt-4o").then().statusCode(404);
    }

    @Test
    void namesAndTagsOfAModelAreListed() {
        given().get("/v1/models")
                .then()
                .body("data[0].aliases", contains("tiny", "small", "fim"))
                .body("data[0].tags", contains("chat", "tiny"));
    }
}
