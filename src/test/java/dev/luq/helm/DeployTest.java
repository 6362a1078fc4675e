package dev.luq.helm;

import static dev.luq.Until.until;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.lessThan;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import dev.luq.helm.Pod.Image;
import dev.luq.helm.Pod.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The image in pods of the chart, with their users, limits and volumes: {@code ./luq test --deploy}. */
@Integration
@EnabledIfSystemProperty(named = "luq.deploy", matches = ".+")
class DeployTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MIB = 1 << 20;
    private static final String USER = "user-0123456789abcdef";
    private static final String ADMIN = "admin-0123456789abcdef";
    private static final String KEYS = "apiKeys: {user: [%s], admin: [%s]}\n".formatted(USER, ADMIN);
    private static final Path EXAMPLES = Path.of("models", "demo", "examples");

    @TempDir
    private static Path directory;

    private static Image image;
    /** Of the default values, with a claim. */
    private static Rendered chart;

    private static Pod server;

    @BeforeAll
    static void start() throws Exception {
        image = Image.of(Path.of(System.getProperty("luq.deploy")));
        chart = Chart.render(
                KEYS + "persistence: {enabled: true}\nrequantization: {enabled: true, method: entropy, args: "
                        + "[--calibration-examples, '8', --evaluation-examples, '8']}");
        server = Pod.start(
                chart.objects(), chart.podTemplate(), image, directory.resolve("server"), Map.of(), Optional.empty());
        server.awaitReady();
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void theImageIsSmall() throws IOException {
        Path demo = image.root().resolve("opt/luq/models/demo");
        try (Stream<Path> files = Files.walk(image.root())) {
            long bytes = files.filter(file -> !file.startsWith(demo))
                    .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
            assertThat(bytes, lessThan(350 * MIB));
        }
    }

    @Test
    void theServerHasNoRightThatItDoesNotNeed() throws IOException {
        String status = Files.readString(Path.of("/proc/" + server.pid() + "/status"));
        assertThat(status, containsString("Uid:\t10001\t10001\t10001\t10001"));
        assertThat(status, containsString("CapBnd:\t0000000000000000"));
        assertThat(status, containsString("NoNewPrivs:\t1"));
        assertNotEquals(0, server.exec("touch", "/opt/luq/x").code());
    }

    @Test
    void aPictureIsAnswered() throws Exception {
        assertThat(answer(ask(server, USER)), containsString("[DONE]"));
    }

    @Test
    void theTestOfTheReleasePasses() {
        JsonNode test = chart.all("Pod").get(0).at("/spec/containers/0");
        List<String> command = new ArrayList<>(List.of("env", "LUQ_TEST_HOST=127.0.0.1", "LUQ_TEST_PORT=8080"));
        test.path("command").forEach(word -> command.add(word.asText()));
        Result result = server.exec(command.toArray(String[]::new));
        assertEquals(0, result.code(), result.output());
    }

    @Test
    void aWorkerThatIsKilledHasASuccessor() throws Exception {
        ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
        ProcessHandle worker = Children.of(process, "WorkerMain").get(0);
        worker.destroyForcibly();
        until("it ends", () -> !worker.isAlive());
        server.awaitReady();
        assertThat(answer(ask(server, USER)), containsString("[DONE]"));
        assertTrue(process.isAlive());
    }

    @Test
    void aReQuantizationOfTheAdminApiIsServed() throws Exception {
        JsonNode job = admin(
                "POST",
                "/admin/v1/requantizations",
                """
                {"model": "luq-demo", "budget": "70%", "method": "entropy", "calibration_set": "calibration",
                 "evaluation_set": "evaluation", "calibration_examples": 8, "evaluation_examples": 8,
                 "variant": "by-the-api", "activate": true}""");
        String path = "/admin/v1/requantizations/" + job.path("id").asText();
        until("the job ends", Duration.ofMinutes(5), () -> !List.of("queued", "running")
                .contains(admin("GET", path, "").path("state").asText()));
        JsonNode ended = admin("GET", path, "");
        assertEquals("succeeded", ended.path("state").asText(), ended::toString);
        assertThat(admin("GET", "/admin/v1/models/luq-demo", "").toString(), containsString("by-the-api"));
        assertThat(answer(ask(server, USER)), containsString("[DONE]"));
    }

    @Test
    void theJobMakesAVariantAndHasItServed() throws Exception {
        JsonNode template = chart.only("Job").at("/spec/template");
        try (Pod job = Pod.start(
                chart.objects(),
                template,
                image,
                directory.resolve("job"),
                Map.of("LUQ_SERVERS", "127.0.0.1"),
                Optional.of(server))) {
            assertEquals(0, job.awaitEnd(Duration.ofMinutes(5)), job::log);
            assertThat(job.log(), containsString("serves demo-70pct"));
        }
        assertThat(admin("GET", "/admin/v1/models/luq-demo", "").toString(), containsString("demo-70pct"));
    }

    @Test
    void aChangedSecretHoldsWithoutARestart() throws Exception {
        String other = "user-fedcba9876543210";
        Path keys = server.volumeFolder("api-keys").resolve("api-keys");
        String before = Files.readString(keys);
        try {
            Files.writeString(keys, "user:" + other + "\nadmin:" + ADMIN + "\n");
            until("the new key holds", () -> status(other) == 200);
            assertEquals(401, status(USER));
        } finally {
            Files.writeString(keys, before);
        }
        until("the old key holds again", () -> status(USER) == 200);
    }

    @Test
    void streamsEndBeforeThePodDoes() throws Exception {
        Rendered alone = Chart.render(KEYS);
        try (Pod pod = start(alone, "drained")) {
            List<Process> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                streams.add(ask(pod, USER, 200));
            }
            for (Process stream : streams) {
                assertNotEquals(-1, stream.getInputStream().read());
            }
            pod.terminate();
            for (Process stream : streams) {
                assertThat(answer(stream), containsString("[DONE]"));
            }
            pod.awaitEnd(Duration.ofSeconds(90));
            assertFalse(pod.log().contains("Killed"), pod::log);
        }
    }

    @Test
    void aNodeOf4GibIsEnoughForTheEdge() throws Exception {
        Path values = Files.writeString(
                directory.resolve("edge.yaml"), Files.readString(Chart.DIRECTORY.resolve("values-edge.yaml")) + KEYS);
        try (Pod pod = start(Chart.renderFile(values), "edge")) {
            assertThat(answer(ask(pod, USER)), containsString("[DONE]"));
        }
    }

    @Test
    void sixClientsDoNotEndWhatHasTheMemoryOfTheEstimate() throws Exception {
        try (Pod pod = start(Chart.render(KEYS), "busy")) {
            for (int round = 0; round < 5; round++) {
                List<Process> clients = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    clients.add(ask(pod, USER, 64));
                }
                for (Process client : clients) {
                    assertThat(answer(client), containsString("[DONE]"));
                }
            }
            System.out.printf("six clients: %d MiB at most%n", pod.peakBytes() / MIB);
            assertEquals(0, pod.killedForMemory());
        }
    }

    @Test
    void aModelWhoseFileComesLaterIsLoadedThen() throws Exception {
        Rendered late = Chart.render(
                KEYS
                        + """
                          persistence: {enabled: true, existingClaim: late}
                          models:
                            - {id: late, model: late.gguf}
                          """);
        try (Pod pod = Pod.start(
                late.objects(), late.podTemplate(), image, directory.resolve("late"), Map.of(), Optional.empty())) {
            until(
                    "it answers",
                    Duration.ofMinutes(2),
                    () -> pod.exec("luq", "health", "live").code() == 0);
            assertNotEquals(0, pod.exec("luq", "health", "ready").code());
            Path file = directory.resolve("claims").resolve("late").resolve("late.gguf");
            Files.copy(Path.of("models", "demo", "luq-demo-F16.gguf"), file);
            answer(curl(pod, ADMIN, "--fail", "--request", "POST", "http://127.0.0.1:8080/admin/v1/models/late/load"));
            pod.awaitReady();
        }
    }

    private static Pod start(Rendered chart, String name) throws IOException {
        Pod pod = Pod.start(
                chart.objects(), chart.podTemplate(), image, directory.resolve(name), Map.of(), Optional.empty());
        pod.awaitReady();
        return pod;
    }

    private static Process ask(Pod pod, String key) throws IOException {
        return ask(pod, key, 16);
    }

    /** A streamed question about a picture. */
    private static Process ask(Pod pod, String key, int tokens) throws IOException {
        String picture = Base64.getEncoder().encodeToString(Files.readAllBytes(EXAMPLES.resolve("describe.png")));
        Path body = Files.writeString(
                Files.createTempFile(directory, "question", ".json"),
                """
                {"stream": true, "max_tokens": %d, "ignore_eos": true, "messages": [{"role": "user", "content": [
                  {"type": "image_url", "image_url": {"url": "data:image/png;base64,%s"}},
                  {"type": "text", "text": "What do you see?"}]}]}"""
                        .formatted(tokens, picture));
        return curl(pod, key, "--no-buffer", "--data-binary", "@" + body, "http://127.0.0.1:8080/v1/chat/completions");
    }

    private static Process curl(Pod pod, String key, String... options) throws IOException {
        List<String> line = new ArrayList<>(pod.inItsNetwork());
        line.addAll(List.of(
                "curl",
                "--silent",
                "--show-error",
                "--max-time",
                "120",
                "--header",
                "Authorization: Bearer " + key,
                "--header",
                "Content-Type: application/json"));
        line.addAll(List.of(options));
        return new ProcessBuilder(line).redirectErrorStream(true).start();
    }

    private static String answer(Process curl) throws Exception {
        String answer = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), answer);
        return answer;
    }

    private static int status(String key) {
        try {
            return Integer.parseInt(answer(curl(
                    server,
                    key,
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    "http://127.0.0.1:8080/v1/models")));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode admin(String method, String path, String body) {
        try {
            List<String> options = new ArrayList<>(List.of("--request", method, "http://127.0.0.1:8080" + path));
            if (!body.isEmpty()) {
                options.addAll(List.of("--data-binary", body));
            }
            return JSON.readTree(answer(curl(server, ADMIN, options.toArray(String[]::new))));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
