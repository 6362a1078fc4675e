package dev.luq.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The script of {@code /q/swagger-ui}, run by Node. */
@Integration
class DescriptionPageTest {

    @Test
    void thePageSaysWhyItShowsNothing() throws IOException, InterruptedException {
        Process node = new ProcessBuilder("node", "--test", "src/test/page/description.test.mjs")
                .redirectErrorStream(true)
                .start();
        String output = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, node.waitFor(), output);
    }
}
