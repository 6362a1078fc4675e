package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.luq.Integration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that {@code helm test} runs in the cluster, against an HTTP server in this JVM. */
@Integration
class ConnectionTestScriptTest {

    private static final String KEY = "user-0123456789abcdef";

    @TempDir
    private Path directory;

    private HttpServer server;
    private volatile int readiness = 200;
    private volatile boolean keysNeeded = true;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/q/health/ready", exchange -> answer(exchange, readiness));
        server.createContext(
                "/v1/models",
                exchange -> answer(
                        exchange,
                        !keysNeeded
                                        || ("Bearer " + KEY)
                                                .equals(exchange.getRequestHeaders()
                                                        .getFirst("Authorization"))
                                ? 200
                                : 401));
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void passesWhenTheServerIsReadyAndAsksForAKey() throws Exception {
        assertEquals(0, run("# keys\n\nuser:" + KEY + "\nadmin:other-0123456789abcdef\n"));
        assertEquals(0, run(KEY));
        assertEquals(0, run("user:sha256:" + "0".repeat(64) + "\nuser: " + KEY + " name=test models=a,b\n"));
        assertEquals(0, run("user:sha256:" + "0".repeat(64)));
    }

    @Test
    void failsWhenTheServerIsNotReady() throws Exception {
        readiness = 503;
        assertEquals(1, run("user:" + KEY));
    }

    @Test
    void failsWhenTheKeyIsRefused() throws Exception {
        assertEquals(1, run("user:wrong-0123456789abcdef"));
    }

    @Test
    void failsWhenTheServerIsOpenAlthoughItHasKeys() throws Exception {
        keysNeeded = false;
        assertEquals(1, run("user:" + KEY));
    }

    @Test
    void anonymousServersAnswerWithoutAKey() throws Exception {
        assertEquals(1, run(null));
        keysNeeded = false;
        assertEquals(0, run(null));
    }

    @Test
    void failsWhenNobodyListens() throws Exception {
        server.stop(0);
        assertEquals(1, run("user:" + KEY));
    }

    private int run(String keys) throws Exception {
        Path file = directory.resolve("keys");
        Files.deleteIfExists(file);
        if (keys != null) {
            Files.writeString(file, keys);
        }
        ProcessBuilder bash =
                new ProcessBuilder("bash", "-c", Files.readString(Chart.DIRECTORY.resolve("files/test-connection.sh")));
        bash.environment().put("LUQ_TEST_HOST", server.getAddress().getAddress().getHostAddress());
        bash.environment()
                .put("LUQ_TEST_PORT", String.valueOf(server.getAddress().getPort()));
        bash.environment().put("LUQ_TEST_KEYS", file.toString());
        return bash.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
                .waitFor();
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }
}
