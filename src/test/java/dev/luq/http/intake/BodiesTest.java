package dev.luq.http.intake;

import static dev.luq.Until.completed;
import static dev.luq.Until.until;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.images.Tricks;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import dev.luq.openai.images.TestImages;
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
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that are late, endless, too large or strange, and connections that come to nothing: nobody else notices. */
@Integration
@QuarkusTest
@TestProfile(BodiesTest.Profile.class)
class BodiesTest extends ScriptedApi {

    /** The limits of a body and of connections, short enough to meet them. */
    public static class Profile extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> config = new HashMap<>(super.getConfigOverrides());
            config.put("luq.api.body-deadline", "4s");
            config.put("luq.api.body-rate-window", "2s");
            config.put("luq.api.min-body-rate", "1000");
            config.put("luq.api.idle-timeout", "3s");
            config.put("luq.api.intake-bytes", "16000000");
            config.put("quarkus.thread-pool.max-threads", "20");
            config.put("luq.api.max-connections-per-address", "300");
            return config;
        }
    }

    private static final String HEAD = "POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer "
            + ScriptedProfile.USER + "\nContent-Type: application/json\n";
    private static final String CHUNKED = HEAD + "Transfer-Encoding: chunked\n\n";
    private static final byte[] NOTHING = {};

    @Inject
    Vertx vertx;

    private final List<RawClient> clients = new ArrayList<>();

    @BeforeEach
    void answer() {
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
    }

    private RawClient connect() throws IOException {
        RawClient client = new RawClient(server.getPort(), 0);
        clients.add(client);
        return client;
    }

    @AfterEach
    void disconnect() throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    private static void someoneElseIsAnswered() {
        chat("").statusCode(200);
    }

    private static byte[] chunk(String text) {
        return (Integer.toHexString(text.length()) + "\r\n" + text + "\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void assertRefused(RawClient client, String status, String code) throws IOException {
        String answer = client.readUntil("}}");
        assertTrue(answer.startsWith("HTTP/1.1 " + status), answer);
        assertTrue(answer.contains("\"code\":\"" + code + "\""), answer);
        assertTrue(answer.toLowerCase(Locale.ROOT).contains("connection: close"), answer);
        client.readToEnd();
    }

    /** One that does not begin, one that drips, and one that comes steadily but does not end; all at once. */
    @Test
    void aBodyThatIsLateIsRefused() throws Exception {
        RawClient silent = connect();
        silent.send(CHUNKED, NOTHING);
        someoneElseIsAnswered();
        assertEquals(budget.total(), budget.free(), "what does not come is charged nothing");
        RawClient slow = connect();
        slow.send(HEAD + "Content-Length: 500\n\n", bytes("{"));
        slow.drip(" ", 50, 100);
        RawClient endless = connect();
        endless.send(CHUNKED, NOTHING);
        endless.drip(new String(chunk(" ".repeat(500)), StandardCharsets.US_ASCII), 50, 100);
        for (RawClient late : List.of(silent, slow, endless)) {
            assertRefused(late, "408", "request_timeout");
        }
    }

    @Test
    void manyBodiesThatDoNotComeHoldNoThread() throws Exception {
        for (int i = 0; i < 250; i++) {
            connect().send(HEAD + "Content-Length: 500\n\n", bytes("{"));
        }
        someoneElseIsAnswered();
    }

    @Test
    void manyStreamsOfOneConnectionWhoseBodiesDoNotComeHoldNoThread() throws Exception {
        HttpClient http2 = http2();
        try {
            List<HttpClientRequest> late = new ArrayList<>();
            for (int i = 0; i < 90; i++) {
                late.add(http2Chat(http2));
                done(
                        "a piece of a body to be sent",
                        late.get(i).setChunked(true).write("{"));
            }
            HttpClientRequest other = http2Chat(http2);
            assertEquals(200, status(other.send(Buffer.buffer("{" + USER + "}"))));
            assertEquals(408, status(late.get(0).response()));
        } finally {
            http2.close();
        }
    }

    @Test
    void aBodyOfAnyKindIsRefusedOverHttp2AsWell() throws Exception {
        HttpClient http2 = http2();
        try {
            HttpClientRequest large = http2Chat(http2);
            large.setChunked(true).write(Buffer.buffer(new byte[1_500_000]));
            large.write(Buffer.buffer(new byte[1_500_000]));
            assertEquals(413, status(large.response()));
            HttpClientRequest announced = http2Chat(http2).putHeader("Content-Length", "99999999");
            announced.sendHead();
            assertEquals(413, status(announced.response()));
            HttpClientRequest packed = http2Chat(http2).putHeader("Content-Encoding", "gzip");
            assertEquals(415, status(packed.send(Buffer.buffer("{}"))));
            HttpClientRequest other = http2Chat(http2);
            assertEquals(200, status(other.send(Buffer.buffer("{" + USER + "}"))));
        } finally {
            http2.close();
        }
    }

    @Test
    void whoAsksOnAndOnAndDoesNotReadIsNotAnswered() throws Exception {
        RawClient client = new RawClient(server.getPort(), 4096);
        clients.add(client);
        client.drip(
                ("GET /q/openapi?format=json HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedProfile.USER
                                + "\n\n")
                        .replace("\n", "\r\n"),
                1000,
                0);
        Thread.sleep(500); // the server writes until nobody takes more
        String answers = client.readToEnd();
        assertTrue(answers.split("HTTP/1.1 200", -1).length < 500, answers.length() + " characters");
    }

    private HttpClient http2() {
        return vertx.createHttpClient(new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setHttp2ClearTextUpgrade(false)
                .setHttp2MaxPoolSize(1));
    }

    private HttpClientRequest http2Chat(HttpClient client) throws Exception {
        return done("a stream", client.request(HttpMethod.POST, server.getPort(), server.getHost(), CHAT))
                .putHeader("Authorization", "Bearer " + ScriptedProfile.USER)
                .putHeader("Content-Type", "application/json");
    }

    private static <T> T done(String what, Future<T> future) throws Exception {
        return completed(what, future.toCompletionStage().toCompletableFuture());
    }

    private static int status(Future<HttpClientResponse> response) throws Exception {
        return done("the answer", response).statusCode();
    }

    @Test
    void aPictureInPiecesIsUnderstood() throws Exception {
        String json = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\""
                + TestImages.png(200, 200) + "\"}]}]}";
        RawClient client = connect();
        client.send(CHUNKED, NOTHING);
        for (int i = 0; i < json.length(); i += 1000) {
            client.send("", chunk(json.substring(i, Math.min(json.length(), i + 1000))));
        }
        client.send("", bytes("0\r\n\r\n"));
        assertTrue(client.readUntil("}}").startsWith("HTTP/1.1 200"));
        assertEquals(1, workers.requests.get(0).images().size());
    }

    /** Two slow ones, of which the second is not begun. */
    @Test
    void aTextCountsUntilNobodyDecodesItsPicturesAnyMore() throws Exception {
        String slow = "{\"type\":\"image_url\",\"image_url\":\""
                + TestImages.dataUrl(Tricks.webp(Tricks.transformed(1000, 1000, 200))) + "\"}";
        RawClient client = connect();
        client.chat("{\"user\":\"" + "x".repeat(1_500_000) + "\",\"messages\":[{\"role\":\"user\",\"content\":[" + slow
                + "," + slow + "]}]}");
        until("the text and the room for pixels", () -> held() > 4_500_000 && held() < 6_000_000);
        client.close();
        while (budget.free() < budget.total()) {
            long held = held();
            assertTrue(held > 4_500_000 || held < 2_900_000, held + " bytes: the pixels' alone");
        }
    }

    private long held() {
        return budget.total() - budget.free();
    }

    @Test
    void piecesOfOneByteAreNoMoreMemoryThanTheBody() throws Exception {
        RawClient client = connect();
        client.send(CHUNKED, NOTHING);
        byte[] pieces = bytes("1\r\n \r\n".repeat(100_000));
        client.send("", pieces);
        client.send("", chunk("{" + USER + "}"));
        client.send("", bytes("0\r\n\r\n"));
        assertTrue(client.readUntil("}}").startsWith("HTTP/1.1 200"));
    }

    @Test
    void whatIsTooLargeIsRefusedAtOnceOrWhenItIs() throws Exception {
        RawClient announced = connect();
        announced.send(HEAD + "Expect: 100-continue\nContent-Length: 99999999999\n\n", NOTHING);
        assertRefused(announced, "413", "request_too_large");
        RawClient chunked = connect();
        chunked.send(CHUNKED, NOTHING);
        for (int i = 0; i < 11; i++) {
            chunked.send("", chunk(" ".repeat(200_000)));
        }
        assertRefused(chunked, "413", "request_too_large");
    }

    @Test
    void aBodyThatNobodyReadsEndsWithItsConnection() throws Exception {
        RawClient stranger = connect();
        stranger.send(CHUNKED.replace(ScriptedProfile.USER, "nobody-knows-this-key"), NOTHING);
        stranger.drip(new String(chunk(" ".repeat(1000)), StandardCharsets.US_ASCII), 50, 100);
        assertRefused(stranger, "401", "invalid_api_key");
    }

    @Test
    void whoAsksFirstIsToldToGoOn() throws Exception {
        String json = "{" + USER + "}";
        RawClient client = connect();
        client.send(HEAD + "Expect: 100-continue\nContent-Length: " + json.length() + "\n\n", NOTHING);
        assertTrue(client.readUntil("\r\n\r\n").startsWith("HTTP/1.1 100"));
        client.send("", bytes(json));
        String answer = client.readUntil("}}");
        assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    }

    @Test
    void aSilentBodyGivesWayWhenMemoryIsShort() throws Exception {
        List<RawClient> silent = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            silent.add(connect());
            silent.get(i).send(HEAD + "Content-Length: 1999999\n\n", bytes(" ".repeat(1_900_000)));
        }
        Thread.sleep(1_100); // a second without a byte is silence
        request()
                .body("{" + USER + ",\"user\":\"" + "x".repeat(1_000_000) + "\"}")
                .post(CHAT)
                .then()
                .statusCode(200);
    }

    @Test
    void aSilentBodyDoesNotGiveWayToWhoHoldsMore() throws Exception {
        RawClient silent = connect();
        String json = "{" + USER + "}" + " ".repeat(1_900_000);
        silent.send(HEAD + "Content-Length: " + (json.length() + 1) + "\n\n", bytes(json));
        Thread.sleep(1_100); // a second without a byte is silence
        try (IntakeBudget.Share much = budget.reserve("key:root", 10_000_000)) {
            assertEquals(10_000_000, much.held());
            RestAssured.given()
                    .header("Authorization", "Bearer " + ScriptedProfile.ADMIN)
                    .contentType("application/json")
                    .body("{" + USER + ",\"user\":\"" + "x".repeat(1_500_000) + "\"}")
                    .post(CHAT)
                    .then()
                    .statusCode(429)
                    .body("error.message", containsString("Your other requests"));
        }
        silent.send("", bytes(" "));
        assertTrue(silent.readUntil("}}").startsWith("HTTP/1.1 200"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate", "br", "gzip, gzip"})
    void packedBodiesAreRefused(String encoding) throws Exception {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(new byte[10_000_000]);
        }
        ValidatableResponse response = request()
                .header("Content-Encoding", encoding)
                .body(packed.toByteArray())
                .post(CHAT)
                .then();
        assertError(response, 415, "unsupported_media_type").body("error.message", containsString("Content-Encoding"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"user\":[[[[                                    | deeper than",
                "{\"user\":1,\"user\":2}                          | same key twice in one object at line 1",
                "{\"temperature\":NaN}                            | not valid JSON at line 1",
                "{USER,\"temperature\":1e999999999}               | temperature",
                "{\"seed\":NUMBER}                                | longer than",
                "{USER,\"max_tokens\":1e1000000}                  | max_tokens",
                "\ufeff{\"messages\":[]}                          | not valid JSON at line 1"
            })
    void strangeJsonIsRefusedAtItsPlace(String json, String reason) {
        String body = json.replace("[[[[", "[".repeat(100_000))
                .replace("NUMBER", "9".repeat(100_000))
                .replace("USER", USER);
        assertError(request().body(bytes(body)).post(CHAT).then(), 400, "invalid_request")
                .body("error.message", containsString(reason));
    }

    @Test
    void textThatIsNoUtf8IsRefused() {
        for (byte[] wrong : List.of(
                new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80, '"', '}'},
                new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', '}'},
                new byte[] {'{', '"', (byte) 0xe2})) {
            assertError(request().body(wrong).post(CHAT).then(), 400, "invalid_request")
                    .body("error.message", containsString("UTF-8"));
        }
    }

    @Test
    void aConnectionWithoutARequestIsClosed() throws Exception {
        RawClient silent = connect();
        RawClient drips = connect();
        RawClient preface = connect();
        preface.send("", bytes("PRI * HTT"));
        RawClient served = connect();
        served.send("GET /health HTTP/1.1\nHost: localhost\n\n", NOTHING);
        served.readUntil("HTTP/1.1");
        drips.send("GET /health HTTP/1.1\nHost: localhost\n", NOTHING);
        drips.drip("x: y\r\n", 60, 100);
        for (RawClient each : List.of(silent, drips, preface, served)) {
            each.readToEnd();
        }
    }

    @Test
    void headersThatAreTooLargeAreRefused() throws Exception {
        for (String endless : List.of("y".repeat(1000), "y: z\r\n".repeat(100))) {
            RawClient client = connect();
            client.send("GET /health HTTP/1.1\nHost: localhost\nx: ", NOTHING);
            client.drip(endless, 10_000, 0);
            assertFalse(client.readToEnd().contains(" 200 "));
        }
        someoneElseIsAnswered();
    }

    @Test
    void anAddressMayHaveSoManyConnections() throws Exception {
        List<RawClient> all = new ArrayList<>();
        String refused = "";
        for (int i = 0; i < 310; i++) {
            all.add(connect());
        }
        for (RawClient each : all.subList(305, 310)) {
            refused = each.readUntil("}}");
            assertTrue(refused.startsWith("HTTP/1.1 429"), refused);
            each.readToEnd();
        }
        assertTrue(refused.contains("too_many_connections"), refused);
        disconnect();
        until("others are served again", this::isServed);
    }

    private boolean isServed() {
        try (RawClient next = new RawClient(server.getPort(), 0)) {
            next.send("GET /q/health/live HTTP/1.1\nHost: localhost\n\n", NOTHING);
            return next.readUntil("\r\n").contains(" 200 ");
        } catch (IOException e) {
            return false;
        }
    }
}
