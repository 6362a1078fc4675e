package dev.luq.http;

import static dev.luq.Until.completed;
import static dev.luq.Until.reached;
import static dev.luq.Until.until;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers that are large against their requests are bounded in memory together, until their clients have read them. */
@Integration
@QuarkusTest
@TestProfile(LargeAnswersTest.Profile.class)
class LargeAnswersTest extends ScriptedApi {

    /** Twelve million bytes for answers. */
    public static class Profile extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> config = new HashMap<>(super.getConfigOverrides());
            config.put("luq.api.intake-bytes", "16000000");
            config.put("luq.api.stalled-client-timeout", "3s");
            return config;
        }
    }

    private static final String TEXT = "{\"content\":\"a\"}";
    /** Of seven million bytes of JSON: more than the system takes before the client reads. */
    private static final int MILLION = 1_000_000;

    @Inject
    Vertx vertx;

    @BeforeEach
    void answer() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        tokens(MILLION);
    }

    private void tokens(int count) {
        int[] ids = new int[count];
        Arrays.fill(ids, 123_456);
        workers.tokens = query -> new WorkerFrame.Tokens(query.id(), ids, null);
    }

    private static ValidatableResponse tokenize() {
        return request().body(TEXT).post("/tokenize").then();
    }

    private RawClient reader() throws Exception {
        RawClient reader = new RawClient(server.getPort(), 4096);
        reader.send(
                "POST /tokenize HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedProfile.USER
                        + "\nContent-Type: application/json\nContent-Length: " + TEXT.length() + "\n\n",
                TEXT.getBytes(StandardCharsets.US_ASCII));
        return reader;
    }

    private void untilSent() {
        // While it is made, what it is made of counts too.
        until("the answer to be on its way", () -> held() > 6_000_000 && held() < 8_000_000);
    }

    private long held() {
        return budget.total() - budget.free();
    }

    @Test
    void anAnswerThatIsReadIsWholeAndFree() {
        for (int i = 0; i < 3; i++) {
            tokenize().statusCode(200).body("tokens", hasSize(MILLION));
            nothingIsHeld();
        }
    }

    @Test
    void anAnswerCountsUntilItIsReadOrItsClientGivenUp() throws Exception {
        try (RawClient reader = reader()) {
            untilSent();
            assertError(tokenize(), 429, "queue_full").header("Retry-After", "1");
            chat("").statusCode(200);
            tokens(10);
            tokenize().statusCode(200);
            nothingIsHeld();
            assertTrue(reader.readToEnd().length() < 7 * MILLION, "the server gave up");
        }
        tokens(MILLION);
        tokenize().statusCode(200);
    }

    @Test
    void whoLeavesHoldsNothing() throws Exception {
        try (RawClient reader = reader()) {
            untilSent();
        }
        nothingIsHeld();
    }

    @Test
    void aStreamOfHttp2ThatIsResetHoldsNothing() throws Exception {
        HttpClient http2 = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        try {
            HttpClientRequest asked =
                    done("a stream", http2.request(HttpMethod.POST, server.getPort(), server.getHost(), "/tokenize"));
            asked.putHeader("Authorization", "Bearer " + ScriptedProfile.USER)
                    .putHeader("Content-Type", "application/json");
            asked.response().onSuccess(response -> response.pause());
            asked.send(Buffer.buffer(TEXT));
            untilSent();
            asked.reset();
            nothingIsHeld();
        } finally {
            http2.close();
        }
    }

    private static <T> T done(String what, Future<T> future) throws Exception {
        return completed(what, future.toCompletionStage().toCompletableFuture());
    }

    @Test
    void whatNeverFitsIsRefusedForGood() {
        tokens(2 * MILLION);
        assertError(tokenize(), 400, "invalid_request").body("error.message", containsString("ask for less at once"));
    }

    /** Its JSON is longer than was reserved for it, and has begun. */
    @Test
    void whatDoesNotFitAsJsonIsRefused() {
        String quotes = "\"".repeat(2_300_000);
        workers.script = request -> ScriptedWorkers.text(request, quotes);
        assertError(chat(""), 400, "invalid_request").body("error.message", containsString("ask for less at once"));
    }

    @Test
    void logProbabilitiesThatDoNotFitEndTheirRequestAlone() {
        List<TokenLogprob> token = List.of(new TokenLogprob(
                1, "a", -1, List.of(97), Collections.nCopies(20, new TokenLogprob(2, "b", -2, List.of(98), null))));
        CountDownLatch cancelled = new CountDownLatch(1);
        workers.script = request -> ScriptedWorkers.begun(
                        request, MILLION, i -> new WorkerFrame.Delta(request.id(), "a", null, token, i + 1))
                .onCancellation()
                .invoke(cancelled::countDown);
        assertError(chat(",\"logprobs\":true,\"top_logprobs\":20"), 400, "invalid_request")
                .body("error.message", containsString("with stream"));
        reached("the generation to be cancelled", cancelled);
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        chat("").statusCode(200).body("choices[0].message.content", equalTo("Hello"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "yaml"})
    void theDescriptionOfTheApiCountsToo(String format) {
        try (IntakeBudget.Share others = budget.reserve("key:alice", budget.total())) {
            assertEquals(0, budget.free(), () -> others.held() + " bytes are held");
            assertError(request().get("/q/openapi?format=" + format).then(), 429, "queue_full");
        }
    }

    @Test
    void whoDoesNotReadLeavesRoomForTheLargeAnswersOfOthers() {
        tokens(100_000);
        try (IntakeBudget.Share unread = budget.ofAnswer("key:alice")) {
            unread.grow(12_000_000);
            assertError(tokenize(), 429, "queue_full").body("error.message", containsString("Your other requests"));
            RestAssured.given()
                    .header("Authorization", "Bearer " + ScriptedProfile.ADMIN)
                    .contentType("application/json")
                    .body(TEXT)
                    .post("/tokenize")
                    .then()
                    .statusCode(200)
                    .body("tokens", hasSize(100_000));
        }
    }

    /** From more clients than there are threads. */
    @Test
    void answersThatNobodyReadsHoldNoThread() throws Exception {
        List<RawClient> readers = new ArrayList<>();
        try {
            for (int i = 0; i < 25; i++) {
                readers.add(reader());
            }
            chat("").statusCode(200);
        } finally {
            for (RawClient reader : readers) {
                reader.close();
            }
        }
    }
}
