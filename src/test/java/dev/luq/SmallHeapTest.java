package dev.luq;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.openai.RawClient;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers that are large against their requests do not end a server of the smallest heap that its image gives it. */
@Integration
class SmallHeapTest {

    /** A token a digit, as many as one request may have. */
    private static final String MILLION_TOKENS = "{\"content\":\"" + "1".repeat(1 << 20) + "\",\"with_pieces\":true}";

    private static PackagedServer server;

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        server = PackagedServer.start(
                directory,
                List.of("-XX:+UseSerialGC", "-Xmx128m", "-XX:+ExitOnOutOfMemoryError"),
                "luq.data-dir=" + directory.resolve("data"),
                "luq.worker.slots=2",
                "luq.worker.threads=1",
                "luq.api.stalled-client-timeout=5s");
        until("the model is ready", server::isReady);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void somebodyElseIsAnswered() {
        HttpResponse<String> answer = server.post(
                "/v1/chat/completions",
                "{\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":\"What is 1 + 4?\"}]}");
        assertEquals(200, answer.statusCode(), () -> answer.body() + server.log());
        assertTrue(server.process().isAlive(), server::log);
    }

    @Test
    void aMillionTokensComeWithTheirPieces() {
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> answer = server.post("/tokenize", MILLION_TOKENS);
            assertEquals(200, answer.statusCode(), answer::body);
            long objects = answer.body().chars().filter(c -> c == '{').count();
            assertEquals(1 + (1 << 20), objects, "all and each token");
        }
    }

    @Test
    void whatDoesNotFitBesideOthersIsRefused() throws Exception {
        List<RawClient> unread = new ArrayList<>();
        byte[] body = MILLION_TOKENS.getBytes(StandardCharsets.US_ASCII);
        try {
            for (int i = 0; i < 8; i++) {
                RawClient client = new RawClient(server.address("/").getPort(), 4096);
                unread.add(client);
                client.send(
                        "POST /tokenize HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                                + body.length + "\n\n",
                        body);
                somebodyElseIsAnswered();
            }
            List<String> heads = new ArrayList<>();
            for (RawClient client : unread) {
                heads.add(client.readUntil("\r\n"));
            }
            assertTrue(heads.stream().anyMatch(head -> head.contains(" 200 ")), heads::toString);
            assertTrue(heads.stream().anyMatch(head -> head.contains(" 429 ")), heads::toString);
            assertTrue(heads.stream().allMatch(head -> head.matches("HTTP/1.1 (200|429) .*\\s*")), heads::toString);
        } finally {
            for (RawClient client : unread) {
                client.close();
            }
        }
        until(
                "what was held for them is free",
                () -> server.post("/tokenize", MILLION_TOKENS).statusCode() == 200);
    }
}
