package dev.luq.http;

import static dev.luq.Until.completed;
import static dev.luq.Until.reached;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.StreamResetException;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that share one HTTP/2 connection: what becomes of one of them is no matter of the others. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class Http2StreamsTest {

    private static final Buffer QUESTION = Buffer.buffer("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");

    @Inject
    Vertx vertx;

    @Inject
    ScriptedWorkers workers;

    @TestHTTPResource
    URI server;

    private HttpClient client;
    private HttpConnection connection;

    @BeforeEach
    void connect() throws Exception {
        // The server may send 100 bytes of an answer before the client has read some.
        client = vertx.createHttpClient(new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setHttp2ClearTextUpgrade(false)
                .setHttp2MaxPoolSize(1)
                .setInitialSettings(new Http2Settings().setInitialWindowSize(100)));
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
        connection = request(HttpMethod.GET, "/v1/models").connection();
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void aStreamThatIsResetBeforeItsAnswerLeavesTheConnectionOpen() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch gone = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        workers.script = request -> {
            asked.countDown();
            try {
                reached("the others to be answered", gone);
                throw new IllegalStateException("answered too late");
            } finally {
                answered.countDown();
            }
        };
        HttpClientRequest late = request(HttpMethod.POST, "/v1/chat/completions");
        late.send(QUESTION);
        reached("the request at the model", asked);
        late.reset();
        // What comes after the reset is answered after the server has seen it.
        assertOthersAreAnswered();
        gone.countDown();
        reached("the late answer", answered);
        assertOthersAreAnswered();
    }

    @Test
    void aStreamThatIsResetAmidItsAnswerLeavesTheConnectionOpen() throws Exception {
        HttpClientRequest begun = request(HttpMethod.GET, "/v1/models");
        HttpClientResponse response = send(begun, Buffer.buffer(), HttpClientResponse::pause);
        assertTrue(Long.parseLong(response.getHeader("Content-Length")) > 100, "the rest waits at the server");
        begun.reset();
        assertOthersAreAnswered();
    }

    /** Large enough that a server that writes bit by bit has seen the client's window full long before the end. */
    @Test
    void aLargeAnswerThatNobodyWantsAnyMoreLeavesTheConnectionOpen() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "x".repeat(5_000_000));
        HttpClientRequest begun = request(HttpMethod.POST, "/v1/chat/completions");
        send(begun, QUESTION, HttpClientResponse::pause);
        begun.reset();
        assertOthersAreAnswered();
    }

    /** What waits for a client takes memory, and neither the socket nor a request shows that it waits. */
    @Test
    void aClientThatAsksOnAndReadsNothingIsRefusedAndThenCutOff() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        AtomicInteger refused = new AtomicInteger();
        connection.closeHandler(end -> closed.countDown());
        for (int i = 0; i < 60; i++) {
            HttpClientRequest request = request(HttpMethod.GET, "/q/swagger-ui/swagger-ui-bundle.js");
            assertSame(connection, request.connection());
            request.response().onSuccess(HttpClientResponse::pause).onFailure(failure -> {
                if (failure instanceof StreamResetException) {
                    refused.incrementAndGet();
                }
            });
            request.send();
        }
        reached("the end of the connection", closed);
        assertTrue(refused.get() > 0 && refused.get() < 30, refused + " of 60 were refused");
    }

    private void assertOthersAreAnswered() throws Exception {
        for (int i = 0; i < 20; i++) {
            HttpClientRequest other = request(HttpMethod.GET, "/v1/models");
            assertSame(connection, other.connection());
            assertTrue(await(send(other, Buffer.buffer(), HttpClientResponse::body))
                    .toString()
                    .contains("scripted"));
        }
    }

    private HttpClientRequest request(HttpMethod method, String path) throws Exception {
        return await(client.request(method, server.getPort(), server.getHost(), path))
                .putHeader("Authorization", "Bearer " + ScriptedProfile.USER)
                .putHeader("Content-Type", "application/json");
    }

    /** @param begun what is made of the answer before its first byte is read: what nobody listens to is lost */
    private static <T> T send(HttpClientRequest request, Buffer body, Function<HttpClientResponse, T> begun)
            throws Exception {
        Future<T> answer = request.response().map(begun);
        request.send(body);
        return await(answer);
    }

    private static <T> T await(Future<T> future) throws Exception {
        return completed(
                "the other side of the connection", future.toCompletionStage().toCompletableFuture());
    }
}
