package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over real connections, against a server that says two words after a while. */
class ServeLoadTest {

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Set<Integer> numbers = ConcurrentHashMap.newKeySet();
    private final AtomicInteger atOnce = new AtomicInteger();
    private final AtomicInteger mostAtOnce = new AtomicInteger();
    private HttpServer server;
    private int status = 200;
    private int generated = 2;
    private int millis = 20;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/chat/completions", exchange -> {
            mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            numbers.add(CompletionClient.JSON
                    .readTree(exchange.getRequestBody())
                    .path("number")
                    .asInt());
            pause();
            atOnce.decrementAndGet();
            exchange.sendResponseHeaders(status, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (String event : List.of(
                        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
                        "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}",
                        "{\"choices\":[],\"usage\":{\"completion_tokens\":" + generated + "}}",
                        "[DONE]")) {
                    body.write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
                    body.flush();
                }
            }
        });
        server.start();
    }

    private void pause() {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    void everyClientWaitsForItsAnswerAndEveryRequestHasItsOwnNumber() {
        ServeLoad.Turn turn = run(group(3), 0.5).get(0);
        assertEquals(3, mostAtOnce.get());
        assertEquals(numbers.size(), turn.firsts().length);
        assertTrue(turn.answers() >= 3 && turn.answers() <= numbers.size());
        assertTrue(turn.firsts()[0] >= millis / 1e3, "the wait for the first text");
        assertEquals(0, turn.failures().size());
    }

    @Test
    void aTurnLastsUntilEveryClientHadAnAnswer() {
        millis = 300;
        ServeLoad.Turn turn = run(group(2), 0.01).get(0);
        assertTrue(turn.seconds() >= 0.3, turn.seconds() + " s");
        assertEquals(2, turn.answers());
        assertEquals(4, turn.tokens());
    }

    @Test
    void groupsAskAtOnceAndAreCountedApart() {
        List<ServeLoad.Turn> turns = ServeLoad.run(address(), List.of(group(1), group(2)), 0.2);
        assertEquals(2, turns.size());
        assertEquals(3, mostAtOnce.get());
        assertEquals(turns.get(0).seconds(), turns.get(1).seconds());
    }

    @Test
    void answersOfAnotherLengthFailAndATurnOfFailuresIsNoTurn() {
        generated = 1;
        CliException e = assertThrows(CliException.class, () -> run(group(1), 0.01));
        assertTrue(e.getMessage().contains("An answer had 1 tokens"), e.getMessage());
        status = 429;
        e = assertThrows(CliException.class, () -> run(group(1), 0.01));
        assertTrue(e.getMessage().contains("429"), e.getMessage());
    }

    @Test
    void whatComesAfterTheTimeDoesNotCountForTheRate() {
        EventClock.Answer whole = answer(500_000_000L, 1_000_000_000L, 1_500_000_000L, 2_000_000_000L);
        EventClock.Answer half = answer(1_300_000_000L, 1_800_000_000L, 1_900_000_000L, 2_100_000_000L, 4_000_000_000L);
        ServeLoad.Turn turn = ServeLoad.Turn.of(0, 2_000_000_000L, List.of(whole, half), 8, List.of("why"));
        assertEquals(2, turn.seconds());
        assertEquals(8 + 4, turn.tokens());
        assertEquals(1, turn.answers());
        assertArrayEquals(new double[] {0.5, 0.5}, turn.firsts());
        assertArrayEquals(new double[] {0.5, 0.5, 0.1}, turn.gaps());
        assertEquals(List.of("why"), turn.failures());
    }

    private static EventClock.Answer answer(long sent, long... texts) {
        return new EventClock.Answer(sent, texts, texts.length, CompletionClient.JSON.createObjectNode());
    }

    private List<ServeLoad.Turn> run(ServeLoad.Group group, double seconds) {
        return ServeLoad.run(address(), List.of(group), seconds);
    }

    private static ServeLoad.Group group(int clients) {
        return new ServeLoad.Group(clients, ServeLoadTest::request, new AtomicInteger(100 * clients), 2);
    }

    private static ObjectNode request(int number) {
        return CompletionClient.JSON.createObjectNode().put("number", number);
    }

    private URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }
}
