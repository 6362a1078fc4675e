package dev.luq.http;

import static dev.luq.Until.completed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Vert.x alone, where a write without a listener can be placed before and after a reset. */
class StreamFailuresTest {

    private static final Buffer ANSWER = Buffer.buffer("x".repeat(1000));

    private final Vertx vertx = Vertx.vertx();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CompletableFuture<HttpServerRequest> held = new CompletableFuture<>();
    private final CompletableFuture<Void> reset = new CompletableFuture<>();
    private HttpServer server;
    private HttpClient client;

    @BeforeEach
    void connect() throws Exception {
        server = await(vertx.createHttpServer()
                .requestHandler(request -> {
                    StreamFailures.contain(request);
                    if (request.path().equals("/held")) {
                        request.response().exceptionHandler(gone -> reset.complete(null));
                        held.complete(request);
                    } else {
                        request.response().end(ANSWER, null);
                    }
                })
                .listen(0, "127.0.0.1"));
        client = vertx.createHttpClient(new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setHttp2ClearTextUpgrade(false)
                .setHttp2MaxPoolSize(1)
                // As much of an answer comes before the client has read some.
                .setInitialSettings(new Http2Settings().setInitialWindowSize(100)));
        request("/whole").connection().closeHandler(gone -> closed.set(true));
    }

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
    }

    @Test
    void aWriteAfterTheResetLeavesTheConnectionOpen() throws Exception {
        HttpClientRequest request = request("/held");
        request.send();
        HttpServerRequest atServer = completed("the request at the server", held);
        request.reset();
        completed("the reset at the server", reset);
        // From another thread the write is queued, as those of resources are: its stream is closed when its turn comes.
        atServer.response().end(ANSWER, null);
        assertAnswered();
    }

    @Test
    void aWriteThatWaitsWhenTheResetComesLeavesTheConnectionOpen() throws Exception {
        HttpClientRequest request = request("/whole");
        send(request, HttpClientResponse::pause);
        request.reset();
        assertAnswered();
    }

    private void assertAnswered() throws Exception {
        for (int i = 0; i < 2; i++) {
            assertEquals(ANSWER, await(send(request("/whole"), HttpClientResponse::body)));
        }
        assertFalse(closed.get());
    }

    private HttpClientRequest request(String path) throws Exception {
        return await(client.request(HttpMethod.GET, server.actualPort(), "127.0.0.1", path));
    }

    /** @param begun what is made of the answer before its first byte is read: what nobody listens to is lost */
    private static <T> T send(HttpClientRequest request, Function<HttpClientResponse, T> begun) throws Exception {
        Future<T> answer = request.response().map(begun);
        request.send();
        return await(answer);
    }

    private static <T> T await(Future<T> future) throws Exception {
        return completed(
                "the other side of the connection", future.toCompletionStage().toCompletableFuture());
    }
}
