package dev.luq.helm;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * As much of a Kubernetes API as the chart's {@code lookup} of its Secret needs. Helm finds it through the file that
 * KUBECONFIG names (set in pom.xml), so that no test ever speaks to a cluster of the person who runs it.
 */
final class Cluster {

    static final String NAMESPACE = "edge";

    private static final String SECRETS = "/api/v1/namespaces/" + NAMESPACE + "/secrets/";
    private static final Map<String, JsonNode> PRESENT = new ConcurrentHashMap<>();

    private Cluster() {}

    static void start() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext(
                    "/api/v1",
                    exchange -> answer(
                            exchange,
                            200,
                            """
                    {"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"secrets",
                    "singularName":"secret","namespaced":true,"kind":"Secret","verbs":["get"]}]}"""));
            server.createContext(SECRETS, Cluster::secret);
            server.start();
            Path config = Path.of(System.getenv("KUBECONFIG"));
            Files.createDirectories(config.getParent());
            Files.writeString(
                    config,
                    """
                    {"apiVersion":"v1","kind":"Config","current-context":"test",
                    "clusters":[{"name":"test","cluster":{"server":"http://%s:%d"}}],
                    "contexts":[{"name":"test","context":{"cluster":"test","user":"test"}}],
                    "users":[{"name":"test","user":{}}]}"""
                            .formatted(
                                    server.getAddress().getAddress().getHostAddress(),
                                    server.getAddress().getPort()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes a Secret in, as an installation does; {@link #clear()} must follow. */
    static void create(JsonNode secret) {
        PRESENT.put(secret.at("/metadata/name").asText(), secret);
    }

    static void clear() {
        PRESENT.clear();
    }

    private static void secret(HttpExchange exchange) throws IOException {
        JsonNode secret = PRESENT.get(exchange.getRequestURI().getPath().substring(SECRETS.length()));
        if (secret != null) {
            answer(exchange, 200, secret.toString());
        } else {
            answer(
                    exchange,
                    404,
                    """
                    {"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}""");
        }
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }
}
