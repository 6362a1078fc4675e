package dev.luq.openai.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessPolicyTest {

    private static final ApiKeys NONE = ApiKeys.parse(List.of());
    private static final ApiKeys KEYS = ApiKeys.parse(
            List.of("# two keys", "", "user-key-12345678", "admin:admin-key-1234567"));

    @Test
    void keysHaveRoles() {
        assertEquals(Optional.of(Role.USER), KEYS.role("user-key-12345678"));
        assertEquals(Optional.of(Role.ADMIN), KEYS.role("admin-key-1234567"));
        assertEquals(Optional.empty(), KEYS.role("user-key-12345679"));
        assertEquals(Optional.empty(), KEYS.role(""));
        assertEquals(Optional.of(Role.USER), ApiKeys.parse(List.of("user:user-key-12345678")).role("user-key-12345678"));
    }

    @Test
    void aShortKeyIsRefusedWithoutRepeatingIt() {
        Exception refused = assertThrows(IllegalArgumentException.class, () -> ApiKeys.parse(List.of("admin:hunter2")));
        assertFalse(refused.getMessage().contains("hunter2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "no.such.host.invalid"})
    void aServerThatOthersReachNeedsKeys(String host) {
        assertTrue(assertThrows(IllegalStateException.class, () -> new AccessPolicy(NONE, host, false, false))
                .getMessage().contains("luq.api.keys"));
        new AccessPolicy(KEYS, host, false, false);
        new AccessPolicy(NONE, host, true, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "::1", "127.0.0.53"})
    void loopbackNeedsNone(String host) {
        AccessPolicy policy = new AccessPolicy(NONE, host, false, false);
        assertEquals(200, status(policy, "/v1/chat/completions", "localhost:8080", null));
        assertEquals(200, status(policy, "/admin/v1/models", "127.0.0.1:8080", null));
        assertEquals(200, status(policy, "/v1/models", "[::1]:8080", null));
    }

    @Test
    void webPagesDoNotReachLoopbackThroughTheirOwnHostName() {
        AccessPolicy policy = new AccessPolicy(NONE, "127.0.0.1", false, false);
        assertEquals(403, status(policy, "/v1/models", "attacker.example:8080", null));
        assertEquals(403, status(policy, "/v1/models", "127.0.0.1.attacker.example", null));
        assertEquals(200, status(new AccessPolicy(NONE, "127.0.0.1", true, false), "/v1/models", "proxy.example", null));
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
            "/v1/models, -, 401",
            "/v1/models, Bearer user-key-12345678, 200",
            "/v1/models, bearer user-key-12345678, 200",
            "/v1/models, Bearer admin-key-1234567, 200",
            "/v1/models, Bearer wrong-key-12345678, 401",
            "/v1/models, Basic user-key-12345678, 401",
            "/v1/models, user-key-12345678, 401",
            "/admin, Bearer user-key-12345678, 403",
            "/admin/v1/models, Bearer user-key-12345678, 403",
            "/admin/v1/models, Bearer admin-key-1234567, 200",
            "/admin/v1/models, -, 401",
            "/q/openapi, -, 401",
            "/metrics, -, 401",
            "/q/metrics, Bearer user-key-12345678, 200",
            "/health, -, 200",
            "/q/health/ready, -, 200",
            "/healthy, -, 401"})
    void whoMayCallWhat(String path, String authorization, int expected) {
        AccessPolicy policy = new AccessPolicy(KEYS, "0.0.0.0", false, false);
        assertEquals(expected, status(policy, path, "luq.example", authorization));
    }

    @Test
    void metricsCanBeOpened() {
        AccessPolicy policy = new AccessPolicy(KEYS, "0.0.0.0", false, true);
        assertEquals(200, status(policy, "/metrics", "luq.example", null));
        assertEquals(200, status(policy, "/q/metrics", "luq.example", null));
        assertEquals(401, status(policy, "/v1/models", "luq.example", null));
    }

    @Test
    void strangersNeverAdministrate() {
        AccessPolicy policy = new AccessPolicy(NONE, "0.0.0.0", true, false);
        assertEquals(200, status(policy, "/v1/models", "luq.example", null));
        assertEquals(403, status(policy, "/admin/v1/models", "luq.example", null));
    }

    private static int status(AccessPolicy policy, String path, String host, String authorization) {
        return policy.refusal(path, host, authorization).map(refused -> refused.error().status()).orElse(200);
    }
}
