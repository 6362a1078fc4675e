package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A server without keys, whom only programs of its machine may use, and none of their web pages. */
@Integration
@QuarkusTest
@TestProfile(CrossSiteRequestsTest.WithoutKeys.class)
class CrossSiteRequestsTest {

    public static class WithoutKeys extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("luq.api.cors-origins", "http://localhost:3000");
        }
    }

    private static final String EVIL = "Origin: http://evil.example\r\n";

    @TestHTTPResource
    URI server;

    @Inject
    ScriptedWorkers workers;

    @Test
    void programsOfThisMachineMayDoEverything() throws IOException {
        assertEquals(200, status("GET", "/v1/models", ""));
        assertEquals(200, status("GET", "/admin/v1/variants", ""));
        assertEquals(200, status("GET", "/metrics", ""));
        assertEquals(404, status("POST", "/admin/v1/models/none-such/unload", ""));
        assertEquals(404, status("GET", "/q/nothing", ""));
    }

    @Test
    void pagesOfOtherSitesMayDoNothing() throws IOException {
        for (String headers : List.of(
                EVIL, EVIL + "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Origin: null\r\n")) {
            for (String path : List.of(
                    "/v1/chat/completions",
                    "/admin/v1/models/none-such/unload",
                    "/admin/v1/plans",
                    "/v1/x",
                    "/",
                    "/q/metrics",
                    "/health")) {
                for (String method : List.of("POST", "PUT", "DELETE", "PATCH")) {
                    assertEquals(403, status(method, path, headers), method + " " + path + " " + headers);
                }
            }
        }
        assertTrue(workers.requests.isEmpty(), "nothing was computed");
    }

    @Test
    void requestsThatNameAnotherHostAreNotOfThisMachine() throws IOException {
        for (String host : List.of("evil.example", "127.0.0.1.evil.example", "evil.example:8080")) {
            for (String path : List.of("/v1/models", "/admin/v1/models", "/metrics", "/nothing")) {
                assertEquals(403, status("GET", path, "Host: " + host + "\r\n"), host + path);
            }
        }
        assertEquals(200, status("GET", "/v1/models", "Host: [::1]:1\r\n"));
    }

    @Test
    void otherSitesAreToldNothingAndTrustedOnesAllTheyNeed() throws IOException {
        String preflight =
                "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-stainless-os\r\n";
        assertFalse(send("OPTIONS", "/v1/chat/completions", EVIL + preflight).contains("access-control"));
        assertFalse(send("GET", "/v1/models", EVIL).contains("access-control"));

        String trusted = "Origin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n";
        String allowed = send("OPTIONS", "/v1/chat/completions", trusted + preflight);
        assertEquals(200, RawClient.status(allowed));
        assertTrue(
                allowed.contains("access-control-allow-origin: http://localhost:3000")
                        && allowed.contains("access-control-allow-headers: content-type,x-stainless-os")
                        && allowed.contains("access-control-allow-methods: get, post")
                        && allowed.contains("vary: origin"),
                allowed);
        for (String path : List.of("/v1/messages", "/chat/completions", "/admin/v1/models", "/nothing")) {
            String sdk = send(
                    "OPTIONS",
                    path,
                    trusted
                            + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: anthropic-version,"
                            + " anthropic-dangerous-direct-browser-access, authorization, x-api-key, x-stainless-lang\r\n");
            assertEquals(200, RawClient.status(sdk), path);
            assertTrue(sdk.contains("anthropic-dangerous-direct-browser-access, authorization, x-api-key"), sdk);
        }
        assertTrue(
                RawClient.exchange(server, "GET", "/models", null, trusted)
                        .contains("\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n"),
                "spelt as in the standard");
        String read = send("GET", "/models", trusted);
        assertTrue(read.contains("access-control-expose-headers: x-request-id, request-id, retry-after"), read);
        assertEquals(read.indexOf("access-control-allow-origin"), read.lastIndexOf("access-control-allow-origin"));
        String error = send("POST", "/v1/chat/completions", trusted);
        assertEquals(400, RawClient.status(error));
        assertTrue(error.contains("access-control-allow-origin: http://localhost:3000"), error);
        String none = send("GET", "/v1/none", trusted);
        assertEquals(404, RawClient.status(none));
        assertTrue(none.contains("access-control-allow-origin: http://localhost:3000"), none);
    }

    private int status(String method, String path, String headers) throws IOException {
        return RawClient.status(send(method, path, headers));
    }

    private String send(String method, String path, String headers) throws IOException {
        String answer = RawClient.exchange(server, method, path, null, headers);
        return "HTTP/1.1" + answer.toLowerCase(Locale.ROOT).substring(8);
    }
}
