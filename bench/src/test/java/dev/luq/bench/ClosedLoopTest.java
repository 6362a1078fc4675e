package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.luq.cli.CompletionClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over real connections, against a server that answers at once with as many tokens as it is asked for. */
class ClosedLoopTest {

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger next = new AtomicInteger();
    private HttpServer server;
    private int status = 200;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/chat/completions", exchange -> {
            int tokens = CompletionClient.JSON
                    .readTree(exchange.getRequestBody())
                    .path("max_tokens")
                    .asInt();
            exchange.sendResponseHeaders(status, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (String event : List.of(
                        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
                        "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":" + tokens
                                + ",\"prompt_tokens_details\":{\"cached_tokens\":4}}}",
                        "[DONE]")) {
                    body.write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    private ClosedLoop.Turn run(int clients, int questions, double seconds, int least) {
        URI address = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return ClosedLoop.run(
                address, clients, new MixedRequests(8, 16, 28, questions, 100, Set.of()), next, seconds, least);
    }

    @Test
    void everyRequestIsKeptWithItsTimesInOrder() {
        ClosedLoop.Turn turn = run(3, 2, 0.2, 0);
        assertEquals(List.of(), turn.failures());
        assertTrue(turn.answered().size() >= 6);
        for (ClosedLoop.Answered one : turn.answered()) {
            assertEquals(9, one.prompt());
            assertEquals(4, one.cached());
            assertTrue(0 <= one.sent() && one.sent() <= one.first(), one.toString());
            assertTrue(one.first() <= one.last() && one.last() <= one.end(), one.toString());
            assertEquals(one.number() / 2, one.picture());
        }
    }

    @Test
    void noNumberIsAskedTwiceAlsoInAnotherTurn() {
        ClosedLoop.Turn one = run(2, 2, 0.05, 2);
        ClosedLoop.Turn two = run(2, 2, 0.05, 2);
        Set<Integer> numbers =
                one.answered().stream().map(ClosedLoop.Answered::number).collect(Collectors.toSet());
        two.answered().forEach(answered -> numbers.add(answered.number()));
        assertEquals(one.answered().size() + two.answered().size(), numbers.size());
    }

    @Test
    void asManyAsAreWantedAreAskedWhenTheTimeIsOver() {
        assertEquals(5, run(1, 1, 0, 5).answered().size());
    }

    @Test
    void failuresAreKeptBesideTheAnswers() {
        status = 429;
        ClosedLoop.Turn turn = run(1, 1, 0, 2);
        assertEquals(2, turn.failures().size());
        assertEquals(0, turn.answered().size());
        assertEquals(0, turn.seconds());
    }
}
