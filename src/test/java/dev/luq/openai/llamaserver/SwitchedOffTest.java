package dev.luq.openai.llamaserver;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;

import dev.luq.Integration;
import dev.luq.openai.ScriptedProfile;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that tells neither of its slots nor of its metrics. */
@Integration
@QuarkusTest
@TestProfile(SwitchedOffTest.Silent.class)
class SwitchedOffTest {

    public static class Silent extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> config = new HashMap<>(super.getConfigOverrides());
            config.put("luq.api.slots", "false");
            config.put("luq.api.metrics", "false");
            return config;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/slots", "/metrics", "/q/metrics", "/q/metrics/application"})
    void administratorsAreNotToldEither(String path) {
        given().auth()
                .oauth2(ScriptedProfile.ADMIN)
                .get(path)
                .then()
                .statusCode(501)
                .body("error.code", equalTo("unsupported_operation"));
    }

    @Test
    void propertiesSaySo() {
        given().auth()
                .oauth2(ScriptedProfile.USER)
                .get("/props")
                .then()
                .statusCode(200)
                .body("endpoint_slots", equalTo(false))
                .body("endpoint_metrics", equalTo(false));
    }
}
