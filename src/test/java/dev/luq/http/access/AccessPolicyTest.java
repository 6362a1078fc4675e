package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessPolicyTest {

    private static final ApiKeys KEYS = ApiKeys.parse(
            "key",
            List.of(
                    "user-key-12345678",
                    "admin:admin-key-1234567 name=root",
                    "admin:expired-key-1234567 expires=2026-01-01T00:00:00Z"));

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "no.such.host.invalid"})
    void aServerThatOthersReachNeedsKeys(String host) {
        assertTrue(assertThrows(IllegalStateException.class, () -> new AccessPolicy(() -> ApiKeys.NONE, host, false))
                .getMessage()
                .contains("luq.api.keys"));
        new AccessPolicy(() -> KEYS, host, false);
        assertEquals(
                Role.USER,
                new AccessPolicy(() -> ApiKeys.NONE, host, true)
                        .identify("luq.example", null, "a")
                        .role());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "::1", "127.0.0.53"})
    void loopbackNeedsNone(String host) {
        AccessPolicy policy = new AccessPolicy(() -> ApiKeys.NONE, host, false);
        for (String name : List.of("localhost:8080", "127.0.0.1:8080", "[::1]:8080")) {
            Caller caller = policy.identify(name, null, "127.0.0.1");
            assertEquals(new Caller("-", Role.ADMIN, "address:127.0.0.1", Optional.empty()), caller);
        }
    }

    @Test
    void webPagesDoNotReachLoopbackThroughTheirOwnHostName() {
        AccessPolicy policy = new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", false);
        assertEquals(403, refusal(policy, "attacker.example:8080", null));
        assertEquals(403, refusal(policy, "127.0.0.1.attacker.example", null));
        new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", true).identify("proxy.example", null, "a");
    }

    @ParameterizedTest
    @CsvSource({"Bearer user-key-12345678,  USER", "bearer user-key-12345678,  USER", "BEARER  admin-key-1234567, ADMIN"
    })
    void aKeySaysWhoItIs(String authorization, Role role) {
        Caller caller = new AccessPolicy(() -> KEYS, "0.0.0.0", false).identify("luq.example", authorization, "a");
        assertEquals(role, caller.role());
        assertEquals("key:" + caller.name(), caller.client());
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "-",
                "Bearer wrong-key-12345678",
                "Basic user-key-12345678",
                "user-key-12345678",
                "Bearer",
                "Bearer expired-key-1234567"
            })
    void anythingElseIsNobody(String authorization) {
        assertEquals(401, refusal(new AccessPolicy(() -> KEYS, "127.0.0.1", true), "localhost", authorization));
    }

    private static int refusal(AccessPolicy policy, String host, String authorization) {
        return assertThrows(ApiException.class, () -> policy.identify(host, authorization, "a"))
                .error()
                .status();
    }
}
