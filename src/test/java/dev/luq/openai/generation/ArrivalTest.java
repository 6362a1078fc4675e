package dev.luq.openai.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.openai.ScriptedWorkers;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A request arrives before its model is loaded: metrics and deadline count from there. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ArrivalTest extends ScriptedApi {

    private static final Duration LOAD = Duration.ofMillis(500);

    @BeforeEach
    void theModelIsNotLoaded() {
        workers.loadTime = LOAD;
        workers.script = request -> ScriptedWorkers.text(request, "Hello");
    }

    @Test
    void ofAGeneration() {
        chat("").statusCode(200);
        assertArrivedBeforeTheLoad();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "/v1/embeddings           | {'model': 'embedding', 'input': 'a'}",
                "/tokenize                | {'content': 'a'}",
                "/v1/messages/count_tokens | {'model': 'scripted', 'messages': [{'role': 'user', 'content': 'a'}]}"
            })
    void ofAQuery(String path, String body) {
        request().body(body.replace('\'', '"')).post(path).then().statusCode(200);
        assertArrivedBeforeTheLoad();
    }

    private void assertArrivedBeforeTheLoad() {
        assertEquals(1, workers.answers.size());
        assertTrue(workers.answers.get(0).age().compareTo(LOAD) >= 0);
    }
}
