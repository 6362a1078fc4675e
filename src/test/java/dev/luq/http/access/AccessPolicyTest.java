package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiException;
import io.vertx.core.MultiMap;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessPolicyTest {

    private static final MultiMap NONE = MultiMap.caseInsensitiveMultiMap();
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
                        .identify("luq.example", NONE, "a")
                        .role());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "::1", "127.0.0.53"})
    void loopbackNeedsNone(String host) {
        AccessPolicy policy = new AccessPolicy(() -> ApiKeys.NONE, host, false);
        for (String name : List.of("localhost:8080", "127.0.0.1:8080", "[::1]:8080")) {
            Caller caller = policy.identify(name, NONE, "127.0.0.1");
            assertEquals(new Caller("-", Role.ADMIN, "address:127.0.0.1", Optional.empty()), caller);
        }
    }

    @Test
    void webPagesDoNotReachLoopbackThroughTheirOwnHostName() {
        AccessPolicy policy = new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", false);
        assertEquals(403, refusal(policy, "attacker.example:8080", NONE));
        assertEquals(403, refusal(policy, "127.0.0.1.attacker.example", NONE));
    }

    @ParameterizedTest
    @CsvSource({"Forwarded, for=192.0.2.1", "X-Forwarded-For, 192.0.2.1", "x-real-ip, 192.0.2.1"})
    void whoComesThroughAProxyIsNoProgramOfThisMachine(String header, String value) {
        MultiMap forwarded = headers(header, value);
        AccessPolicy closed = new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", false);
        assertEquals(403, refusal(closed, "127.0.0.1:8080", forwarded));
        AccessPolicy open = new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", true);
        assertEquals(Role.USER, open.identify("127.0.0.1:8080", forwarded, "a").role());
    }

    @Test
    void anonymousUseMakesNobodyFromElsewhereAnAdministrator() {
        AccessPolicy policy = new AccessPolicy(() -> ApiKeys.NONE, "127.0.0.1", true);
        assertEquals(Role.USER, policy.identify("proxy.example", NONE, "a").role());
        assertEquals(Role.ADMIN, policy.identify("localhost:8080", NONE, "a").role());
    }

    @ParameterizedTest
    @CsvSource({"Bearer user-key-12345678,  USER", "bearer user-key-12345678,  USER", "BEARER  admin-key-1234567, ADMIN"
    })
    void aKeySaysWhoItIs(String authorization, Role role) {
        Caller caller = new AccessPolicy(() -> KEYS, "0.0.0.0", false)
                .identify("luq.example", headers("Authorization", authorization), "a");
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
        assertEquals(401, refusal(policy(), "localhost", headers("Authorization", authorization)));
    }

    @ParameterizedTest
    @CsvSource({"x-api-key", "api-key", "X-API-KEY"})
    void clientsOfAnthropicAndAzureHaveHeadersOfTheirOwn(String header) {
        assertEquals(Role.ADMIN, role(headers(header, "admin-key-1234567")));
        assertEquals(
                Role.ADMIN, role(headers(header, "admin-key-1234567", "Authorization", "Bearer admin-key-1234567")));
        assertEquals(Role.ADMIN, role(headers(header, "admin-key-1234567", "Authorization", "Bearer ")), "empty");
        for (MultiMap headers : List.of(
                headers(header, "wrong-key-12345678"),
                headers(header, "Bearer admin-key-1234567"),
                headers(header, "expired-key-1234567"),
                headers(header, ""))) {
            assertEquals(401, refusal(policy(), "localhost", headers));
        }
    }

    @Test
    void twoDifferentKeysAreNobody() {
        for (MultiMap headers : List.of(
                headers("x-api-key", "admin-key-1234567", "Authorization", "Bearer user-key-12345678"),
                headers("x-api-key", "admin-key-1234567", "api-key", "user-key-12345678"),
                headers("x-api-key", "admin-key-1234567", "x-api-key", "user-key-12345678"),
                headers("Authorization", "Bearer admin-key-1234567", "Authorization", "Bearer user-key-12345678"),
                headers("x-api-key", "admin-key-1234567", "Authorization", "Bearer wrong-key-12345678"),
                headers("x-api-key", "admin-key-1234567", "Authorization", "Basic YWRtaW46YQ=="))) {
            assertEquals(401, refusal(policy(), "localhost", headers), headers.toString());
        }
    }

    private static AccessPolicy policy() {
        return new AccessPolicy(() -> KEYS, "127.0.0.1", true);
    }

    private static Role role(MultiMap headers) {
        return policy().identify("luq.example", headers, "a").role();
    }

    /** @param namesAndValues a null value for no header */
    private static MultiMap headers(String... namesAndValues) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) {
                headers.add(namesAndValues[i], namesAndValues[i + 1]);
            }
        }
        return headers;
    }

    private static int refusal(AccessPolicy policy, String host, MultiMap headers) {
        return assertThrows(ApiException.class, () -> policy.identify(host, headers, "a"))
                .error()
                .status();
    }
}
