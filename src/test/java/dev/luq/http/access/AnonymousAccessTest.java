package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.openai.RawClient;
import dev.luq.openai.ScriptedProfile;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A server without keys that other machines reach. */
@Integration
@QuarkusTest
@TestProfile(AnonymousAccessTest.Anonymous.class)
class AnonymousAccessTest {

    public static class Anonymous extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.http.host", "0.0.0.0", "luq.api.anonymous", "true");
        }
    }

    @TestHTTPResource
    URI server;

    @Test
    void strangersUseItAndNeverAdminister() throws IOException {
        assertEquals(200, status("GET", "/v1/models"));
        assertEquals(400, status("POST", "/v1/chat/completions"));
        assertEquals(200, status("GET", "/metrics"));
        assertEquals(403, status("GET", "/admin/v1/models"));
        assertEquals(403, status("POST", "/admin/v1/models/none-such/unload"));
        assertEquals(403, status("GET", "/q/nothing"));
        assertEquals(400, status("POST", "/admin;x/v1/models/none-such/unload"));
    }

    private int status(String method, String path) throws IOException {
        return RawClient.status(RawClient.exchange(server, method, path, null, "Host: luq.example\r\n"));
    }
}
