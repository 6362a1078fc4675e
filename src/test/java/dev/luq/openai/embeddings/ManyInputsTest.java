package dev.luq.openai.embeddings;

import static org.hamcrest.Matchers.hasSize;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.openai.ScriptedApi;
import dev.luq.openai.ScriptedProfile;
import dev.luq.protocol.ServerFrame;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.HashSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** More inputs than go into one query. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ManyInputsTest extends ScriptedApi {

    @Test
    void theQueriesOfARequestAreOneAnswer() {
        int inputs = 2 * ServerFrame.Embed.MOST_PROMPTS + 1;
        String input =
                IntStream.range(0, inputs).mapToObj(i -> "\"text " + i + "\"").collect(Collectors.joining(","));
        request()
                .body("{\"model\":\"embedding\",\"input\":[" + input + "]}")
                .post("/v1/embeddings")
                .then()
                .statusCode(200)
                .body("data", hasSize(inputs));
        assertEquals(3, workers.answers.size());
        assertEquals(1, new HashSet<>(workers.answers).size());
    }
}
