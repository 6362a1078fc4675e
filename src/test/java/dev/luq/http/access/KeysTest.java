package dev.luq.http.access;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.luq.Integration;
import dev.luq.LoggedLines;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.protocol.ServerFrame;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a key's line says holds. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class KeysTest {

    @Inject
    ScriptedWorkers workers;

    @BeforeEach
    void answerInOneWord() {
        workers.script = request -> ScriptedWorkers.text(request, "word");
        workers.requests.clear();
    }

    @Test
    void modelsThatAKeyMayNotUseDoNotExistForIt() {
        with(ScriptedProfile.NARROW).get("/v1/models").then().statusCode(200).body("data.id", contains("loading"));
        with(ScriptedProfile.NARROW).get("/v1/models/loading").then().statusCode(200);
        with(ScriptedProfile.NARROW)
                .get("/v1/models/scripted")
                .then()
                .statusCode(404)
                .body("error.code", equalTo("model_not_found"));
        chat(ScriptedProfile.NARROW, ",\"model\":\"scripted\"")
                .statusCode(404)
                .body("error.code", equalTo("model_not_found"));
        chat(ScriptedProfile.NARROW, "").statusCode(503).body("error.code", equalTo("model_loading"));
        with(ScriptedProfile.USER).get("/v1/models").then().body("data.id", contains("scripted", "loading"));
    }

    @Test
    void keysComeInTheHeadersOfAnthropicAndAzureToo() {
        for (String header : List.of("x-api-key", "api-key")) {
            given().header(header, ScriptedProfile.NARROW)
                    .get("/v1/models")
                    .then()
                    .body("data.id", contains("loading"));
            given().header(header, ScriptedProfile.EXPIRED)
                    .get("/v1/models")
                    .then()
                    .statusCode(401);
            with(ScriptedProfile.ADMIN)
                    .header(header, ScriptedProfile.USER)
                    .get("/v1/models")
                    .then()
                    .statusCode(401);
            with(ScriptedProfile.USER)
                    .header(header, ScriptedProfile.USER)
                    .get("/v1/models")
                    .then()
                    .statusCode(200);
        }
    }

    @Test
    void requestsBeyondTheRateWait() {
        chat(ScriptedProfile.HASTY, "").statusCode(200);
        for (String stream : new String[] {"", ",\"stream\":true"}) {
            ValidatableResponse refused = chat(ScriptedProfile.HASTY, stream)
                    .statusCode(429)
                    .body("error.code", equalTo("rate_limited"))
                    .body("error.type", equalTo("rate_limit_error"));
            assertNotEquals(0, Integer.parseInt(refused.extract().header("Retry-After")));
        }
        chat(ScriptedProfile.HASTY, "", "/chat/completions").statusCode(429);
        chat(ScriptedProfile.HASTY, "", "/openai/v1/chat/completions").statusCode(429);
        with(ScriptedProfile.HASTY).get("/v1/models").then().statusCode(200);
        assertEquals(1, workers.requests.size());
    }

    @Test
    void tokensOfPromptAndAnswerCount() {
        chat(ScriptedProfile.FRUGAL, "").statusCode(200).body("usage.total_tokens", greaterThan(10));
        chat(ScriptedProfile.FRUGAL, "").statusCode(429).body("error.code", equalTo("rate_limited"));
    }

    @Test
    void eachKeyHasItsOwnCacheAndTurn() {
        chat(ScriptedProfile.USER, "");
        chat(ScriptedProfile.USER, ",\"cache_salt\":\"mine\"");
        chat(ScriptedProfile.ADMIN, "");
        chat(ScriptedProfile.ADMIN, ",\"cache_salt\":\"mine\"");
        assertEquals(
                4,
                workers.requests.stream()
                        .map(ServerFrame.Generate::cacheSalt)
                        .distinct()
                        .count());
        assertEquals(
                2,
                workers.requests.stream()
                        .map(ServerFrame.Generate::client)
                        .distinct()
                        .count());
        workers.requests.forEach(request -> assertEquals(32, request.cacheSalt().length(), "neither name nor key"));
        chat(ScriptedProfile.USER, ",\"cache_salt\":\"\"").statusCode(400).body("error.param", equalTo("cache_salt"));
        chat(ScriptedProfile.USER, ",\"cache_salt\":7").statusCode(400).body("error.param", equalTo("cache_salt"));
    }

    @Test
    void keysAreReadAgainWhenTheirFileChanges() throws IOException {
        String late = "a-key-that-comes-late";
        try (LoggedLines log = new LoggedLines(KeyRing.class.getName())) {
            Files.writeString(ScriptedProfile.file(), ScriptedProfile.KEYS + "user:" + late + "\n");
            until("the new key", () -> status(late) == 200);
            Files.writeString(ScriptedProfile.file(), ScriptedProfile.KEYS + "user:hunter2\n");
            until("a look at the broken file", () -> log.lines().stream().anyMatch(line -> line.contains("line 8")));
            assertEquals(200, status(late), "the keys before hold");
            assertFalse(
                    log.lines().toString().contains("hunter2")
                            || log.lines().toString().contains(late),
                    log.lines()::toString);
            Files.writeString(ScriptedProfile.file(), ScriptedProfile.KEYS);
            until("the key is gone", () -> status(late) == 401);
            assertEquals(200, status(ScriptedProfile.USER));
        } finally {
            Files.writeString(ScriptedProfile.file(), ScriptedProfile.KEYS);
        }
    }

    private static int status(String key) {
        return with(key).get("/v1/models").statusCode();
    }

    private static ValidatableResponse chat(String key, String fields) {
        return chat(key, fields, ScriptedApi.CHAT);
    }

    private static ValidatableResponse chat(String key, String fields, String path) {
        return with(key)
                .contentType("application/json")
                .body("{" + ScriptedApi.USER + fields + "}")
                .post(path)
                .then();
    }

    private static RequestSpecification with(String key) {
        return given().header("Authorization", "Bearer " + key);
    }
}
