package dev.luq.cli;

import static dev.luq.Until.reached;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against recorded answers of the API, over a real connection. */
class CompletionClientTest {

    private final List<String> pieces = new ArrayList<>();
    private HttpServer server;
    private int status;
    private byte[] body = {};
    private CompletionClient client;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            boolean authorized =
                    "Bearer a key".equals(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(authorized ? status : 401, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        client = new CompletionClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Optional.of("a key"));
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void handsOverPiecesAndUsage() {
        answer(
                200,
                """
                data: {"choices":[{"delta":{"role":"assistant","content":null}}],"usage":null}

                data: {"choices":[{"delta":{"content":"A red "}}],"usage":null}

                data: {"choices":[{"delta":{"content":"circle."}}],"usage":null}

                data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}

                data: {"choices":[],"usage":{"completion_tokens":4}}

                data: [DONE]

                """);
        JsonNode usage = stream();
        assertEquals(List.of("A red ", "circle."), pieces);
        assertEquals(4, usage.path("completion_tokens").asInt());
    }

    @Test
    void reportsTheServersRefusal() {
        answer(
                400,
                "{\"error\":{\"message\":\"No such picture.\",\"type\":\"x\",\"param\":null,\"code\":\"invalid_image\"}}");
        assertEquals("The server answered 400: No such picture.", failure());
        answer(502, "<html>");
        assertEquals("The server answered 502.", failure());
    }

    @Test
    void reportsAFailureInMidStream() {
        answer(
                200,
                """
                data: {"choices":[{"delta":{"content":"A"}}]}

                event: error
                data: {"error":{"message":"The worker died."}}

                """);
        assertEquals("The worker died.", failure());
        assertEquals(List.of("A"), pieces);
    }

    @Test
    void reportsAnEarlyEnd() {
        answer(200, "data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\n\n");
        assertEquals("The answer ended early.", failure());
    }

    @Test
    void knowsWhetherSomebodyListens() {
        assertFalse(client.answers("/health"));
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        assertTrue(client.answers("/health"));
        server.stop(0);
        assertFalse(client.answers("/health"));
        assertTrue(failure().startsWith("No answer from http://127.0.0.1:"));
    }

    @Test
    void aServerThatFallsSilentInAnAnswerIsSaidToHang() {
        CountDownLatch asked = new CountDownLatch(1);
        server.removeContext("/v1/chat/completions");
        server.createContext("/v1/chat/completions", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody()
                    .write("data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\n\n".getBytes(UTF_8));
            exchange.getResponseBody().flush();
            reached("the end of the test", asked);
        });
        client = impatient(Duration.ofSeconds(2));
        try {
            assertTrue(failure().contains("seems to hang: look at its log"));
            assertEquals(List.of("A"), pieces);
        } finally {
            asked.countDown();
        }
    }

    @Test
    void aServerThatSendsCommentsIsWaitedFor() {
        server.removeContext("/v1/chat/completions");
        server.createContext("/v1/chat/completions", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            for (int i = 0; i < 14; i++) {
                exchange.getResponseBody().write(": prompt 35 %\n\n".getBytes(UTF_8));
                exchange.getResponseBody().flush();
                LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
            }
            exchange.getResponseBody().write("data: [DONE]\n\n".getBytes(UTF_8));
            exchange.close();
        });
        client = impatient(Duration.ofSeconds(5));
        stream();
    }

    @Test
    void aServerThatDoesNotAnswerIsSaidToHang() {
        CountDownLatch asked = new CountDownLatch(1);
        server.createContext("/v1/models", exchange -> reached("the end of the test", asked));
        try {
            CliException failure = assertThrows(CliException.class, impatient(Duration.ofMillis(200))::model);
            assertTrue(failure.getMessage().contains("seems to hang: look at its log"), failure.getMessage());
        } finally {
            asked.countDown();
        }
    }

    private CompletionClient impatient(Duration longestSilence) {
        return new CompletionClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Optional.of("a key"), longestSilence);
    }

    @Test
    void theFirstModelIsAskedForOnce() {
        AtomicInteger asked = new AtomicInteger();
        server.createContext("/v1/models", exchange -> {
            String data = asked.getAndIncrement() == 0 ? "[]" : "[{\"id\":\"first\"},{\"id\":\"second\"}]";
            byte[] models = ("{\"data\":" + data + "}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, models.length);
            exchange.getResponseBody().write(models);
            exchange.close();
        });
        assertEquals(
                "The server serves no model.",
                assertThrows(CliException.class, client::model).getMessage());
        assertEquals("first", client.model());
        assertEquals("first", client.model());
        assertEquals(2, asked.get());
    }

    private JsonNode stream() {
        return client.stream(CompletionClient.JSON.createObjectNode(), pieces::add);
    }

    private String failure() {
        return assertThrows(CliException.class, this::stream).getMessage();
    }

    /** What the server answers from now on. */
    private void answer(int status, String body) {
        this.status = status;
        this.body = body.getBytes(StandardCharsets.UTF_8);
    }
}
