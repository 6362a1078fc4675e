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

/** A server that does not tell of its slots. */
@Integration
@QuarkusTest
@TestProfile(SlotsSwitchedOffTest.WithoutSlots.class)
class SlotsSwitchedOffTest {

    public static class WithoutSlots extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> config = new HashMap<>(super.getConfigOverrides());
            config.put("luq.api.slots", "false");
            return config;
        }
    }

    @Test
    void administratorsAreNotToldEither() {
        given().auth()
                .oauth2(ScriptedProfile.ADMIN)
                .get("/slots")
                .then()
                .statusCode(501)
                .body("error.code", equalTo("unsupported_operation"));
        given().auth()
                .oauth2(ScriptedProfile.USER)
                .get("/props")
                .then()
                .statusCode(200)
                .body("endpoint_slots", equalTo(false));
    }
}
