package dev.luq;

import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.openai.images.TestImages;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What one client sends hurts nobody else: while it is at work, and after, somebody who does no harm is answered, by the
 * same worker. The server is a process of its own with the demo model on two slots.
 */
@Integration
class HostileClientsTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String CHAT = "/v1/chat/completions";
    /** Of somebody who does no harm; generous, for the machine may be busy with other things. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(20);

    private static final String BIG_PICTURE = TestImages.png(2048, 2048);

    private static HttpClient client;
    private static ExecutorService threads;
    private static PackagedServer server;
    private static List<ProcessHandle> workers;
    private static int asked;

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        threads = Executors.newCachedThreadPool();
        server = PackagedServer.start(
                directory,
                "luq.data-dir=" + directory.resolve("data"),
                "luq.worker.slots=2",
                "luq.worker.threads=1",
                "luq.worker.process.crash-dir=" + directory,
                "luq.worker.restart.back-off=0.01S");
    }

    /** One test that fails is not the next one's fault. */
    @BeforeEach
    void theModelIsReady() {
        until("the model is ready", () -> server.isReady() && server.workers().size() == 1);
        workers = server.workers();
    }

    @AfterAll
    static void stop() {
        server.close();
        threads.shutdownNow();
    }

    // --- Who may do what ---

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/admin/v1/models/none-such/unload",
                "/admin;x/v1/models/none-such/unload",
                "/%61dmin/v1/models/none-such/unload",
                "//admin/v1/models/none-such/unload",
                CHAT
            })
    void pagesOfOtherSitesDoNothing(String path) throws Exception {
        String answer = raw("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
                + "Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        assertTrue(answer.matches("(?s)HTTP/1.1 40[034] .*"), answer);
        assertFalse(answer.contains("model_not_found"), "it reached the resource: " + answer);
    }

    // --- Text ---

    /** The longer one is refused by its length, the shorter one may fit until it is tokens: none of it is a word. */
    @ParameterizedTest
    @ValueSource(ints = {21_000_000, 1_000_000})
    void aTextLongerThanAnyContext(int length) throws Exception {
        assertRefused(unhurt(() -> ask("\"" + "x".repeat(length) + "\"", "")), "context_length_exceeded");
    }

    @Test
    void thousandsOfMessages() throws Exception {
        String turns =
                "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"a\"},".repeat(10_000);
        String body = "{\"messages\":[" + turns + "{\"role\":\"user\",\"content\":\"Hi\"}]}";
        assertRefused(unhurt(() -> post(body.getBytes(US_ASCII))), "context_length_exceeded");
    }

    @Test
    void aHundredTools() throws Exception {
        String parameters = IntStream.range(0, 10)
                .mapToObj(i -> "\"p" + i + "\":{\"type\":\"string\"}")
                .collect(Collectors.joining(",", "{\"type\":\"object\",\"properties\":{", "}}"));
        String tools = IntStream.range(0, 100)
                .mapToObj(i -> "{\"type\":\"function\",\"function\":{\"name\":\"tool_" + i
                        + "\",\"description\":\"dddddddddd\",\"parameters\":" + parameters + "}}")
                .collect(Collectors.joining(",", "[", "]"));
        HttpResponse<String> answer = unhurt(() -> ask("\"Call one.\"", ",\"tools\":" + tools));
        assertTrue(answer.statusCode() == 200 || isRefusal(answer), answer.statusCode() + answer.body());
    }

    @ParameterizedTest
    @MethodSource
    void bodiesThatNobodyMeant(byte[] body) throws Exception {
        assertRefused(unhurt(() -> post(body)));
    }

    static List<byte[]> bodiesThatNobodyMeant() {
        return List.of(
                "[".repeat(5_000_000).getBytes(US_ASCII),
                "{\"a\":".repeat(100_000).getBytes(US_ASCII),
                ("{" + "\"messages\":[],".repeat(10_000) + "\"n\":1}").getBytes(US_ASCII),
                ("{\"messages\":[],\"n\":1" + "0".repeat(1_000_000) + "}").getBytes(US_ASCII),
                new byte[1_000_000]);
    }

    @Test
    void aHeadWithoutEnd() throws Exception {
        String answer =
                unhurt(() -> raw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Long: " + "x".repeat(200_000)));
        assertTrue(answer.isEmpty() || answer.matches("(?s)HTTP/1.1 4[0-9][0-9] .*"), answer);
    }

    // --- Schemas ---

    private enum Outcome {
        FOLLOWED,
        TOO_COMPLEX,
        EITHER
    }

    private record Schema(String json, Outcome outcome) {}

    private static final Map<String, Schema> SCHEMAS = new TreeMap<>(Map.of(
            "a property with a name of 40,000 characters",
            refused("{\"type\":\"object\",\"properties\":{\"" + "_".repeat(40_000)
                    + "\":{\"type\":\"string\"}},\"additionalProperties\":true}"),
            "5,000 references in a row",
            refused("{\"$ref\":\"#/$defs/a0\",\"$defs\":{"
                    + IntStream.range(0, 5_000)
                            .mapToObj(i -> "\"a" + i + "\":{\"$ref\":\"#/$defs/a" + (i + 1) + "\"},")
                            .collect(Collectors.joining())
                    + "\"a5000\":{\"type\":\"null\"}}}"),
            "6,000 optional properties",
            refused(optionalProperties(6_000)),
            "1,000 optional properties",
            followed(optionalProperties(1_000)),
            "a pattern with 2,000 options",
            followed("{\"type\":\"string\",\"pattern\":\"^(a?){0,1999}b$\"}"),
            "a pattern that multiplies the states of its grammar",
            new Schema(
                    "{\"type\":\"string\",\"pattern\":\"^" + "xyz".repeat(30) + "(.{0,2000}){0,2000}b$\"}",
                    Outcome.EITHER),
            "nested quantifiers",
            new Schema("{\"type\":\"string\",\"pattern\":\"^((a{0,99}){0,99}){0,99}$\"}", Outcome.EITHER),
            "a cycle that never ends",
            new Schema("{\"$ref\":\"#\"}", Outcome.EITHER),
            "a schema within itself",
            followed("{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"integer\"},"
                    + "\"next\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}},\"required\":[\"value\",\"next\"],"
                    + "\"additionalProperties\":false}")));

    private static Schema refused(String json) {
        return new Schema(json, Outcome.TOO_COMPLEX);
    }

    private static Schema followed(String json) {
        return new Schema(json, Outcome.FOLLOWED);
    }

    private static String optionalProperties(int count) {
        return "{\"type\":\"object\",\"properties\":{"
                + IntStream.range(0, count)
                        .mapToObj(i -> "\"p" + i + "\":{\"type\":\"null\"}")
                        .collect(Collectors.joining(","))
                + "}}";
    }

    static Set<String> schemaNames() {
        return SCHEMAS.keySet();
    }

    @ParameterizedTest
    @MethodSource("schemaNames")
    void aSchemaThatIsHardToFollow(String name) throws Exception {
        Schema schema = SCHEMAS.get(name);
        HttpResponse<String> answer = unhurt(() -> askWithSchema(schema.json()));
        switch (schema.outcome()) {
            case FOLLOWED -> {
                assertEquals(200, answer.statusCode(), answer.body());
                assertTrue(
                        content(answer).startsWith(schema.json().contains("\"properties\"") ? "{" : "\""),
                        answer.body());
            }
            case TOO_COMPLEX -> {
                assertRefused(answer, "schema_too_complex");
                assertTrue(
                        JSON.readTree(answer.body()).at("/error/param").asText().startsWith("response_format"),
                        answer.body());
            }
            case EITHER ->
                assertTrue(answer.statusCode() == 200 || isRefusal(answer), answer.statusCode() + answer.body());
        }
    }

    @Test
    void anyJsonObject() throws Exception {
        HttpResponse<String> answer =
                ask("\"Give me a JSON object with a key a.\"", ",\"response_format\":{\"type\":\"json_object\"}");
        assertEquals(200, answer.statusCode(), answer.body());
        assertTrue(content(answer).startsWith("{"), answer.body());
    }

    // --- Pictures ---

    @Test
    void elevenLargePictures() throws Exception {
        HttpResponse<String> answer = unhurt(() -> askAbout(Collections.nCopies(11, BIG_PICTURE)));
        assertTrue(answer.statusCode() == 200 || isRefusal(answer), answer.statusCode() + answer.body());
    }

    @Test
    void aLosslessJpegThatIsBarelyThereTakesNothing() throws Exception {
        String side = HexFormat.of().toHexDigits((short) 6300);
        String lossless = TestImages.dataUrl(HexFormat.of()
                .parseHex("ffd8ffc3001108" + side + side
                        + "03011100021100031100ffc400140001" + "00".repeat(16) + "ffda000c03010002000300010000"
                        + "00".repeat(16) + "ffd9"));
        for (int i = 0; i < 22; i++) {
            assertRefused(askAbout(List.of(TestImages.png(512, 512), lossless)));
        }
        assertEquals(
                200, unhurt(() -> askAbout(List.of(BIG_PICTURE))).statusCode(), "what it was charged is given back");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1:%d/a.png",
                "https://127.0.0.1:%d/a.png",
                "http://[::ffff:127.0.0.1]:%d/a.png",
                "http://localhost:%d/a.png",
                "file:///proc/self/environ?%d",
                "//127.0.0.1:%d/a.png"
            })
    void nobodyIsAskedForAPicture(String url) throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            HttpResponse<String> answer = askAbout(List.of(url.formatted(other.getLocalPort())));
            assertRefused(answer);
            assertTrue(answer.body().contains("\"invalid_image_url\""), answer.body());
            other.setSoTimeout(1);
            assertTrue(isSilent(other), "it was asked");
        }
    }

    // --- Connections ---

    @Test
    void aPictureInAChunkedRequest() throws Exception {
        String body = json(
                "[{\"type\":\"image_url\",\"image_url\":\"" + TestImages.png(200, 200)
                        + "\"},{\"type\":\"text\",\"text\":\"?\"}]",
                "");
        String answer =
                unhurt(() -> raw(chunkedHead() + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n"));
        assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 250})
    void bodiesThatDoNotCome(int count) throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Socket socket = connect();
                sockets.add(socket);
                socket.getOutputStream()
                        .write((i % 2 == 0
                                        ? chunkedHead()
                                        : "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\n"
                                                + "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
                                .getBytes(US_ASCII));
            }
            unhurt(() -> null);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void fiveHundredClientsOnTwoSlots() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 500)
                .mapToObj(i -> client.sendAsync(
                        request(json("\"What is " + i + " + 1?\"", "").getBytes(US_ASCII)),
                        HttpResponse.BodyHandlers.ofString()))
                .toList();
        int answered = 0;
        for (CompletableFuture<HttpResponse<String>> future : answers) {
            HttpResponse<String> answer = future.get();
            assertTrue(answer.statusCode() == 200 || answer.statusCode() == 429, answer.statusCode() + answer.body());
            assertEquals(
                    answer.statusCode() == 429,
                    answer.headers().firstValue("Retry-After").isPresent());
            answered += answer.statusCode() == 200 ? 1 : 0;
        }
        assertTrue(answered >= 10, answered + " answered of those who had a slot or a place in the queue");
        unhurt(() -> null);
    }

    // --- The two sides ---

    /**
     * Does harm while somebody else is answered, at least once meanwhile and once after.
     *
     * @return what the act returned
     */
    private static <T> T unhurt(Callable<T> act) throws Exception {
        Future<T> hostile = threads.submit(act);
        do {
            bystander();
        } while (!hostile.isDone());
        T result = hostile.get();
        bystander();
        assertTrue(server.process().isAlive());
        assertEquals(workers, server.workers(), "the same worker as before");
        return result;
    }

    private static void bystander() throws Exception {
        // Never the same question: what was there when a worker died may be refused.
        byte[] body = json("\"What is " + ++asked + " + 4?\"", "").getBytes(US_ASCII);
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(request(body), (name, value) -> true)
                        .timeout(LONGEST_WAIT)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
    }

    private static String content(HttpResponse<String> answer) throws IOException {
        return JSON.readTree(answer.body()).at("/choices/0/message/content").asText();
    }

    private static void assertRefused(HttpResponse<String> answer, String code) throws IOException {
        assertRefused(answer);
        assertEquals(code, JSON.readTree(answer.body()).at("/error/code").asText(), answer.body());
    }

    private static void assertRefused(HttpResponse<String> answer) throws IOException {
        assertTrue(isRefusal(answer), answer.statusCode() + answer.body());
    }

    /** Whether it says in the API's form what is wrong with the request. */
    private static boolean isRefusal(HttpResponse<String> answer) throws IOException {
        JsonNode error = JSON.readTree(answer.body()).path("error");
        return answer.statusCode() >= 400
                && answer.statusCode() < 500
                && List.of("message", "type", "param", "code").stream().allMatch(error::has);
    }

    private static boolean isSilent(ServerSocket socket) throws IOException {
        try {
            socket.accept().close();
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        }
    }

    private static HttpResponse<String> askAbout(List<String> urls) throws Exception {
        return ask(
                urls.stream()
                        .map(url -> "{\"type\":\"image_url\",\"image_url\":\"" + url + "\"},")
                        .collect(Collectors.joining("", "[", "{\"type\":\"text\",\"text\":\"?\"}]")),
                "");
    }

    private static HttpResponse<String> askWithSchema(String schema) throws Exception {
        return ask(
                "\"Answer.\"",
                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":" + schema
                        + "}}");
    }

    /**
     * @param content JSON.
     * @param fields of the request, each behind a comma
     */
    private static HttpResponse<String> ask(String content, String fields) throws Exception {
        return post(json(content, fields).getBytes(US_ASCII));
    }

    private static String json(String content, String fields) {
        return "{\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":" + content + "}]" + fields + "}";
    }

    private static HttpResponse<String> post(byte[] body) throws Exception {
        return client.send(request(body), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest request(byte[] body) {
        return HttpRequest.newBuilder(server.address(CHAT))
                .header("Content-Type", "application/json")
                .timeout(Duration.ofMinutes(2))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
    }

    private static String chunkedHead() {
        return "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n";
    }

    private static Socket connect() throws IOException {
        URI address = server.address("/");
        Socket socket = new Socket(address.getHost(), address.getPort());
        socket.setSoTimeout((int) LONGEST_WAIT.toMillis());
        return socket;
    }

    /** @return the head of the answer and the first line of its body; nothing where the connection is closed */
    private static String raw(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
            StringBuilder answer = new StringBuilder();
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                answer.append(line).append('\n');
                if (line.isEmpty()) {
                    char[] body = new char[1000];
                    int count = answer.indexOf("ontent-") < 0 ? 0 : in.read(body);
                    return answer.append(body, 0, Math.max(0, count)).toString();
                }
            }
            return answer.toString();
        } catch (SocketException e) {
            return "";
        }
    }
}
