package dev.luq.openai;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Status, code and shape of every error. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ApiErrorsTest extends ScriptedApi {

    static List<Object[]> refusals() {
        return List.of(
                new Object[] {new WorkerException.QueueFull("full"), 429, "queue_full", true},
                new Object[] {
                    new WorkerException.NotReady(ModelWorker.State.RESTARTING, "why"), 503, "worker_restarting", true
                },
                new Object[] {new WorkerException.NotReady(ModelWorker.State.DRAINING, "why"), 503, "draining", true},
                new Object[] {new WorkerException.Died("why"), 503, "worker_restarting", true},
                new Object[] {new WorkerException.DeadlineExceeded("why"), 504, "deadline_exceeded", false},
                new Object[] {new WorkerException.Quarantined("why"), 422, "input_quarantined", false},
                new Object[] {
                    new WorkerException.Rejected("context_length_exceeded", "why", "messages"),
                    400,
                    "context_length_exceeded",
                    false
                },
                new Object[] {
                    new WorkerException.Rejected("internal_error", "secret", null), 500, "internal_error", false
                });
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsRefusedBeforeTheFirstTokenHasAStatus(WorkerException failure, int status, String code, boolean retry) {
        workers.script = request -> ScriptedWorkers.failing(failure);
        for (ValidatableResponse response : List.of(chat(""), stream(""), stream(",\"n\":2"))) {
            assertError(response, status, code)
                    .header("Retry-After", retry ? notNullValue() : nullValue())
                    .header("x-should-retry", retry ? nullValue() : equalTo("false"))
                    .body("error.message", not(containsString("secret")));
        }
    }

    /** The numbers and the type are llama-server's; gateways know the code, or the message's beginning. */
    @Test
    void aPromptThatIsTooLongSaysByHowMuch() {
        workers.script = request -> ScriptedWorkers.failing(new WorkerException.Rejected(new WorkerFrame.Failed(
                request.id(), "context_length_exceeded", "why", "messages", new WorkerFrame.Overflow(5000, 4096))));
        String tooLong = "x".repeat(4096 * 64 + 1);
        for (ValidatableResponse response : List.of(chat(""), stream(""))) {
            assertError(response, 400, "context_length_exceeded")
                    .body("error.type", equalTo("exceed_context_size_error"))
                    .body("error.n_prompt_tokens", equalTo(5000))
                    .body("error.n_ctx", equalTo(4096));
        }
        assertError(chatOf("{\"type\":\"text\",\"text\":\"" + tooLong + "\"}"), 400, "context_length_exceeded")
                .body("error.type", equalTo("exceed_context_size_error"))
                .body("error.message", startsWith("This model's maximum context length is 4096 tokens"))
                .body("error.n_prompt_tokens", equalTo(4097))
                .body("error.n_ctx", equalTo(4096));
        assertError(chat(",\"temperature\":9"), 400, "invalid_request").body("error", not(hasKey("n_ctx")));
    }

    @Test
    void aDefectIsTheServersAndNamesTheRequest() {
        workers.script = request -> {
            throw new IllegalStateException("/secret/path");
        };
        ValidatableResponse response = request()
                .header("x-request-id", "abc-123")
                .body("{" + USER + "}")
                .post(CHAT)
                .then();
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
    @CsvSource({
        "https://example.org/a.png, invalid_image_url",
        "'data:image/png;base64,!', invalid_base64",
        "'data:image/png;base64,aGVsbG8=', invalid_image"
    })
    void images(String url, String code) {
        assertError(chatOf("{\"type\":\"image_url\",\"image_url\":\"" + url + "\"}"), 400, code)
                .body("error.param", equalTo("messages[0].content[0].image_url"));
    }

    @Test
    void brokenBodies() {
        assertError(request().body("{").post(CHAT).then(), 400, "invalid_request");
        assertError(request().body("").post(CHAT).then(), 400, "invalid_request");
        assertError(request().body("[".repeat(10_000)).post(CHAT).then(), 400, "invalid_request");
        assertError(
                request()
                        .body(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'})
                        .post(CHAT)
                        .then(),
                400,
                "invalid_request");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1", "/v1/", "/v1/nothing", "/v1/chat", "/v1/chat/completions/x", "/nothing"})
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

    @ParameterizedTest
    @ValueSource(strings = {"/", "/health", "/v1/models", "/admin/v1/models"})
    void aHostThatIsNoneIsTheClientsFault(String path) throws Exception {
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.send("GET " + path + " HTTP/1.1\nHost: localhost:99999999\n\n", new byte[0]);
            String answer = client.readUntil("}}");
            assertTrue(answer.startsWith("HTTP/1.1 400"), answer);
            assertTrue(answer.contains("\"code\":\"invalid_request\""), answer);
        }
    }

    @Test
    void aBodyThatIsTooLarge() throws Exception {
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.send(
                    "POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedProfile.USER
                            + "\nContent-Type: application/json\nContent-Length: 99999999999\n\n",
                    new byte[0]);
            String answer = client.readUntil("}}");
            assertTrue(answer.startsWith("HTTP/1.1 413"), answer);
            assertTrue(answer.contains("\"code\":\"request_too_large\""), answer);
        }
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            client.send(
                    "POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedProfile.USER
                            + "\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n",
                    new byte[0]);
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
        assertError(given().get("/v1/models").then(), 401, "invalid_api_key");
        assertError(
                given().header("Authorization", "Bearer nobody-knows-this-key")
                        .body("{" + USER + "}")
                        .contentType("application/json")
                        .post(CHAT)
                        .then(),
                401,
                "invalid_api_key");
        assertError(request().get("/admin/v1/models").then(), 403, "insufficient_permissions");
        given().get("/q/health/live").then().statusCode(200).header("x-request-id", matchesPattern("req_[0-9a-f]{32}"));
    }
}
