package dev.luq;

import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.catalog.CatalogConfig;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The examples of the pages do what the pages say, at a server with the demo model. Those in Python are run with the
 * clients that they are for: {@code ./luq test --clients}.
 */
@Integration
@QuarkusTest
@TestProfile(ExamplesTest.Demo.class)
class ExamplesTest {

    private static final JsonMapper JSON = new JsonMapper();
    private static final List<String> PAGES = List.of("README.md", "docs/api.md", "docs/configuration.md");

    /** As {@code ./luq serve} starts it. */
    public static class Demo implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "luq.sets.root",
                    Path.of("models/demo").toAbsolutePath().toString(),
                    "luq.data-dir",
                    dataFolder(),
                    "luq.worker.threads",
                    "1",
                    "luq.worker.drain-time",
                    "0S",
                    "quarkus.shutdown.timeout",
                    "0S");
        }

        private static String dataFolder() {
            try {
                return Files.createTempDirectory(
                                Files.createDirectories(
                                        Path.of("target/examples-test").toAbsolutePath()),
                                "data-")
                        .toString();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Inject
    ModelWorkers workers;

    @TestHTTPResource("/")
    URI server;

    @BeforeEach
    void waitUntilReady() {
        until(
                "the demo model is ready",
                () -> workers.find("luq-demo").orElseThrow().state() == ModelWorker.State.READY);
    }

    /** The fenced blocks of a language. */
    private static Stream<String> blocks(String language) {
        Pattern block = Pattern.compile("(?ms)^```" + language + "\n(.*?)^```$");
        return PAGES.stream().flatMap(page -> {
            try {
                return block.matcher(Files.readString(Path.of(page))).results().map(found -> found.group(1));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    static List<String> blocksOfCurl() {
        return blocks("sh").filter(block -> block.startsWith("curl ")).toList();
    }

    static List<String> blocksOfSettings() {
        return blocks("properties").toList();
    }

    @Test
    void thereAreExamples() {
        assertTrue(blocksOfCurl().size() >= 4, () -> blocksOfCurl().toString());
        assertTrue(blocksOfSettings().size() >= 2, () -> blocksOfSettings().toString());
    }

    /** Each command may use the {@code id} that the one before it answered, as {@code ID}. */
    @ParameterizedTest
    @MethodSource("blocksOfCurl")
    void everyRequestIsAnswered(String block) throws Exception {
        String id = "";
        for (String command : commands(block)) {
            String here =
                    command.replace("http://127.0.0.1:8080/", server.toString()).replace("/ID/", "/" + id + "/");
            if (here.contains("/events")) {
                assertTrue(untilCancelled(here, id).contains("cancelled"));
            } else {
                JsonNode answer = JSON.readTree(run(here));
                assertFalse(answer.isMissingNode() || answer.hasNonNull("error"), answer::toString);
                id = answer.path("id").asText();
            }
        }
    }

    private static List<String> commands(String block) {
        List<String> commands = new ArrayList<>();
        for (MatchResult command : Pattern.compile("(?ms)^curl .*?(?=^curl |\\z)")
                .matcher(block)
                .results()
                .toList()) {
            commands.add(command.group());
        }
        return commands;
    }

    private static String run(String command) throws Exception {
        return finished(start(command));
    }

    /** What a job tells that is cancelled while somebody listens. */
    private static String untilCancelled(String command, String id) throws Exception {
        Process listening = start(command);
        RestAssured.given()
                .contentType("application/json")
                .post("/admin/v1/requantizations/" + id + "/cancel")
                .then()
                .statusCode(202);
        return finished(listening);
    }

    private static Process start(String command) throws IOException {
        return new ProcessBuilder("bash", "-c", command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String finished(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @ParameterizedTest
    @MethodSource("blocksOfSettings")
    void everySettingIsKnown(String block) throws IOException {
        Properties settings = new Properties();
        settings.load(new StringReader(block));
        CatalogConfig config = new SmallRyeConfigBuilder()
                .withMapping(CatalogConfig.class)
                .withSources(new PropertiesConfigSource(settings, "example", 100))
                .build()
                .getConfigMapping(CatalogConfig.class);
        assertFalse(config.models().isEmpty());
    }
}
