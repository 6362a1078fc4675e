package dev.luq.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of models in paths, as clients write them. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ModelPathsTest extends ScriptedApi {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/models/org%2Fscripted%3Aq4%20100%25",
                "/v1/models/org%2fscripted:q4%20100%25",
                "/v1/models/org/scripted:q4%20100%25",
                "/models/org%2Fscripted%3Aq4%20100%25",
                "/openai/v1/models/org%2Fscripted%3Aq4%20100%25/",
                "/v1/models/scripted",
                "/models/scripted/"
            })
    void aNameMayBeEncoded(String path) throws IOException {
        String answer = get(path);
        assertEquals(200, RawClient.status(answer), answer);
        assertTrue(answer.contains("\"id\":\"scripted\""), answer);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/models/org%252Fscripted%3Aq4%20100%25",
                "/v1/models/org%2Fscripted",
                "/v1/models/scripted%25",
                "/models/scripted%2Fx"
            })
    void whatIsNoNameIsNotThere(String path) throws IOException {
        assertEquals(404, RawClient.status(get(path)), path);
    }

    private String get(String path) throws IOException {
        return RawClient.exchange(server, "GET", path, ScriptedProfile.USER, "");
    }
}
