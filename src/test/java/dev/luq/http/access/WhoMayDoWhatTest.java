package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.Integration;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedProfile;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every resource and method of the API's description, with every kind of key, by every way to write its path. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class WhoMayDoWhatTest {

    /** Kinds of callers; null for no key. */
    enum Kind {
        NOBODY(null),
        STRANGER("nobody-knows-this-key"),
        EXPIRED(ScriptedProfile.EXPIRED),
        USER(ScriptedProfile.USER),
        ADMIN(ScriptedProfile.ADMIN);

        final String key;

        Kind(String key) {
            this.key = key;
        }
    }

    private record Operation(String method, String path) {
        boolean isAdministration() {
            return path.startsWith("/admin/")
                    || path.equals("/slots")
                    || path.equals("/props") && method.equals("POST");
        }
    }

    private static final Set<String> METHODS = Set.of("get", "post", "put", "delete", "patch", "head", "options");

    /** Ways to write a path that some reader takes for the path itself. */
    private static final Map<String, UnaryOperator<String>> TRICKS = Map.ofEntries(
            Map.entry("parameter of the first segment", path -> path.replaceFirst("^(/[^/]+)", "$1;x")),
            Map.entry("parameter at the end", path -> path + ";x=/health"),
            Map.entry("encoded semicolon", path -> path + "%3bx"),
            Map.entry("empty segment", path -> "/" + path),
            Map.entry("empty segment within", path -> path.replaceFirst("/([^/]+)/", "/$1//")),
            Map.entry("dot", path -> "/." + path),
            Map.entry("two dots", path -> "/health/.." + path),
            Map.entry("encoded dots", path -> "/health/%2e%2e" + path),
            Map.entry("half encoded dots", path -> "/health/.%2E" + path),
            Map.entry("encoded slash", path -> path.replaceFirst("/([^/]+)/", "/$1%2f")),
            Map.entry("encoded backslash", path -> path.replaceFirst("/([^/]+)/", "/$1%5C")),
            Map.entry("backslash", path -> path.replaceFirst("/([^/]+)/", "/$1\\\\")),
            Map.entry("encoded twice", path -> path.replaceFirst("/([^/]+)/", "/$1%252f")),
            Map.entry("encoded zero", path -> path + "%00"));

    @TestHTTPResource
    URI server;

    @ParameterizedTest
    @EnumSource
    void everyOperationAsksForItsRole(Kind kind) throws IOException {
        for (Operation operation : operations()) {
            int status = RawClient.status(send(operation.method(), operation.path(), kind.key));
            String what = kind + " " + operation + ": " + status;
            if (kind == Kind.USER && operation.isAdministration()) {
                assertEquals(403, status, what);
            } else if (kind == Kind.USER || kind == Kind.ADMIN) {
                assertTrue(status != 401 && status != 403 && status < 500, what);
            } else {
                assertEquals(401, status, what);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void noWayToWriteAPathLeadsAnywhere(Kind kind) throws IOException {
        for (Operation operation : operations()) {
            for (Map.Entry<String, UnaryOperator<String>> trick : TRICKS.entrySet()) {
                String path = trick.getValue().apply(operation.path());
                if (path.equals(operation.path())) {
                    continue; // it has one segment, and this is written with two
                }
                String answer = send(operation.method(), path, kind.key);
                assertEquals(
                        400, RawClient.status(answer), () -> kind + " " + trick.getKey() + " " + path + ": " + answer);
                // Vert.x refuses what is no path of a URL at all before anything of ours sees it.
                assertTrue(
                        answer.contains("\"code\":\"invalid_request\"") || answer.contains("content-length: 0"),
                        answer);
            }
        }
    }

    /** Clients leave out the version, go through a proxy's prefix, and end paths with a slash. */
    @ParameterizedTest
    @EnumSource
    void otherWaysToWriteAPathOfTheApiAskForTheSameRole(Kind kind) throws IOException {
        for (Operation operation : operations()) {
            if (operation.path().startsWith("/v1/")) {
                String path = operation.path();
                int status = RawClient.status(send(operation.method(), path, kind.key));
                for (String other :
                        List.of(path.substring(3), "/openai" + path, path + "/", "/openai" + path.substring(3))) {
                    assertEquals(
                            status,
                            RawClient.status(send(operation.method(), other, kind.key)),
                            kind + " " + operation.method() + " " + other);
                }
            }
        }
    }

    @Test
    void anotherWayToWriteAPathChangesNothingElse() throws IOException {
        for (String path : List.of("/health", "/metrics", "/models?limit=1", "/openai/v1/models/none", "/v1/models/")) {
            String answer = send("GET", path, ScriptedProfile.USER);
            assertTrue(answer.contains("x-request-id: "), answer);
        }
        String refused = RawClient.exchange(
                server, "POST", "/chat/completions", "nobody-knows-this-key", "X-Request-Id: mine\r\n");
        assertTrue(refused.startsWith("HTTP/1.1 401") && refused.contains("x-request-id: mine"), refused);
    }

    @Test
    void headIsWhatGetIsWithoutItsBody() throws IOException {
        for (String path :
                List.of("/health", "/q/health", "/metrics", "/q/metrics", "/v1/models", "/models", "/q/openapi")) {
            String get = send("GET", path, ScriptedProfile.USER);
            String head = send("HEAD", path, ScriptedProfile.USER);
            assertEquals(RawClient.status(get), RawClient.status(head), path);
            assertTrue(head.endsWith("\r\n\r\n"), head);
        }
        assertEquals(401, RawClient.status(send("HEAD", "/v1/models", null)));
    }

    /** What Quarkus serves besides: no annotation protects it. */
    @ParameterizedTest
    @CsvSource({
        "/health,          200, 200, 200",
        "/q/health,        200, 200, 200",
        "/q/health/live,   200, 200, 200",
        "/metrics,         401, 200, 200",
        "/q/metrics,       401, 200, 200",
        "/q/openapi,       401, 200, 200",
        "/q/metrics/x,     401, 200, 200",
        "/q/dev-ui,        401, 403, 404",
        "/q/nothing,       401, 403, 404",
        "/q,               401, 403, 404",
        "/healthy,         401, 404, 404",
        "/health/x,        401, 404, 404",
        "/metrics/x,       401, 404, 404",
        "/,                200, 200, 200",
        "/index.html,      401, 404, 404",
        "/q/swagger-ui,    308, 308, 308",
        "/q/swagger-ui/,   200, 200, 200",
        "/q/swagger-ui/x,  404, 404, 404",
        "/q/swagger-uix,   401, 403, 404",
        "/admin,           401, 404, 404"
    })
    void whatIsNoResourceIsClosedUnlessItIsNamed(String path, int nobody, int user, int admin) throws IOException {
        assertEquals(List.of(nobody, nobody, nobody, user, admin), statuses("GET", path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"HEAD", "POST", "OPTIONS", "TRACE", "ANYTHING"})
    void noMethodOpensMetricsOrAdministration(String method) throws IOException {
        for (String path : List.of("/metrics", "/q/metrics", "/admin/v1/models", "/v1/models")) {
            assertEquals(List.of(401, 401, 401), statuses(method, path).subList(0, 3), path);
        }
    }

    @Test
    void aRefusalSaysHowToDoIt() throws IOException {
        String answer = send("GET", "/v1/models", null);
        assertTrue(answer.contains("\"code\":\"invalid_api_key\"") && answer.contains("Authorization: Bearer"), answer);
        assertTrue(answer.toLowerCase(Locale.ROOT).contains("www-authenticate: bearer"), answer);
        assertTrue(send("GET", "/v1/models", ScriptedProfile.EXPIRED).contains("has expired"));
        assertTrue(send("GET", "/admin/v1/models", ScriptedProfile.USER)
                .contains("\"code\":\"insufficient_permissions\""));
        assertTrue(send("GET", "/q/nothing", ScriptedProfile.USER).contains("\"code\":\"insufficient_permissions\""));
    }

    private List<Integer> statuses(String method, String path) throws IOException {
        List<Integer> statuses = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            // a test's server is ready or not: health is open either way
            int status = RawClient.status(send(method, path, kind.key));
            statuses.add(status == 503 ? 200 : status);
        }
        return statuses;
    }

    private List<Operation> operations() throws IOException {
        JsonNode paths = new JsonMapper()
                .readTree(RestAssured.given()
                        .header("Authorization", "Bearer " + ScriptedProfile.USER)
                        .get("/q/openapi?format=json")
                        .asString())
                .get("paths");
        List<Operation> operations = new ArrayList<>();
        paths.properties().forEach(path -> path.getValue().properties().stream()
                .map(Map.Entry::getKey)
                .filter(METHODS::contains)
                .forEach(method -> operations.add(new Operation(
                        method.toUpperCase(Locale.ROOT), path.getKey().replaceAll("\\{[^}]*}", "none-such")))));
        assertTrue(
                operations.size() > 20
                        && operations.stream().anyMatch(o -> o.path().equals("/v1/chat/completions")),
                operations::toString);
        return operations;
    }

    private String send(String method, String path, String key) throws IOException {
        return RawClient.exchange(server, method, path, key, "");
    }
}
