package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over a real connection, in HTTP chunks, one per event. */
class EventClockTest {

    private static final ObjectNode REQUEST =
            CompletionClient.JSON.createObjectNode().put("stream", true);

    private HttpServer server;
    private int status = 200;
    private List<String> events = List.of();
    private int millisBetween;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(status, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (String event : events) {
                    body.write((event + "\n\n").getBytes(StandardCharsets.UTF_8));
                    body.flush();
                    pause();
                }
            }
        });
        server.start();
    }

    private void pause() {
        try {
            Thread.sleep(millisBetween);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void notesWhenEachTextWasThere() {
        events = List.of(
                "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}],\"usage\":null}",
                "data: {\"choices\":[{\"delta\":{\"content\":\"ü\"}}],\"usage\":null}",
                "data: {\"choices\":[{\"delta\":{\"content\":\"\\n\\n\"}}],\"usage\":null}",
                "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":null}",
                "data: {\"choices\":[],\"usage\":{\"completion_tokens\":2}}",
                "data: [DONE]");
        long before = System.nanoTime();
        EventClock.Answer answer = complete();
        assertEquals(2, answer.texts().length);
        assertTrue(before <= answer.texts()[0] && answer.texts()[0] <= answer.texts()[1]);
        assertTrue(answer.texts()[1] <= System.nanoTime());
        assertEquals(2, answer.usage().path("completion_tokens").asInt());
    }

    /** Servers send them to keep a connection alive. */
    @Test
    void commentsAreNoEventsAndShiftNoTimes() {
        events = List.of(
                ": encoding 40 %",
                "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
                ":",
                "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}",
                "data: [DONE]");
        millisBetween = 30;
        EventClock.Answer answer = complete();
        assertEquals(2, answer.texts().length);
        long gap = answer.texts()[1] - answer.texts()[0];
        assertTrue(gap >= TimeUnit.MILLISECONDS.toNanos(2 * millisBetween - 10), "two events lie between: " + gap);
    }

    @Test
    void refusesWhatIsNoWholeAnswer() {
        events = List.of("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
        assertThrows(CliException.class, this::complete);
        status = 503;
        assertThrows(CliException.class, this::complete);
        server.stop(0);
        assertThrows(CliException.class, this::complete);
    }

    @Test
    void aServerThatFallsSilentIsSaidToHang() {
        events = List.of("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", "data: [DONE]");
        millisBetween = 1000;
        EventClock clock = new EventClock(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Duration.ofMillis(100));
        CliException failure = assertThrows(CliException.class, () -> clock.complete(REQUEST));
        assertTrue(failure.getMessage().contains("seems to hang"), failure.getMessage());
    }

    private EventClock.Answer complete() {
        return new EventClock(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                .complete(REQUEST);
    }
}
