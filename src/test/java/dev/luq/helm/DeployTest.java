package dev.luq.helm;

import static dev.luq.Until.until;
import static dev.luq.helm.PodClient.answer;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.lessThan;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import dev.luq.helm.Pod.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

    private static final long MIB = 1 << 20;
    private static final String USER = "user-0123456789abcdef";
    private static final String ADMIN = "admin-0123456789abcdef";
    private static final String KEYS = "apiKeys: {user: [%s], admin: [%s]}\n".formatted(USER, ADMIN);

    @TempDir
    private static Path directory;

    private static Image image;
    /** Of the default values, with a claim. */
    private static Rendered chart;

    private static Pod server;
    private static PodClient user;
    private static PodClient admin;

    @BeforeAll
    static void start() throws Exception {
        image = Image.of(Path.of(System.getProperty("luq.deploy")));
        chart = Chart.render(
                KEYS + "persistence: {enabled: true}\nrequantization: {enabled: true, method: entropy, args: "
                        + "[--calibration-examples, '8', --evaluation-examples, '8']}");
        server = start(chart, "server");
        user = user(server);
        admin = new PodClient(server, ADMIN, directory);
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
        assertThat(answer(user.ask()), containsString("[DONE]"));
    }

    @Test
    void theTestOfTheReleasePasses() {
        JsonNode test = chart.all("Pod").get(0).at("/spec/containers/0");
        List<String> command = new ArrayList<>(List.of("env", "LUQ_TEST_HOST=127.0.0.1", "LUQ_TEST_PORT=8080"));
        test.path("command").forEach(word -> command.add(word.asText()));
        Command.Result result = server.exec(command.toArray(String[]::new));
        assertEquals(0, result.code(), result.output());
    }

    @Test
    void whereMemoryRunsOutTheServerIsTheLastToEnd() throws Exception {
        ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
        ProcessHandle worker = Children.of(process, "WorkerMain").get(0);
        assertThat(oomScore(worker), greaterThan(oomScore(process)));
    }

    @Test
    void aWorkerThatIsKilledHasASuccessor() throws Exception {
        ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
        ProcessHandle worker = Children.of(process, "WorkerMain").get(0);
        worker.destroyForcibly();
        until("it ends", () -> !worker.isAlive());
        server.awaitReady();
        assertThat(answer(user.ask()), containsString("[DONE]"));
        assertTrue(process.isAlive());
    }

    @Test
    void aReQuantizationOfTheAdminApiIsServed() throws Exception {
        JsonNode job = admin.post(
                "/admin/v1/requantizations",
                """
                {"model": "luq-demo", "budget": "70%", "method": "entropy", "calibration_set": "calibration",
                 "evaluation_set": "evaluation", "calibration_examples": 8, "evaluation_examples": 8,
                 "variant": "by-the-api", "activate": true}""");
        String path = "/admin/v1/requantizations/" + job.path("id").asText();
        until("the job ends", Duration.ofMinutes(5), () -> !List.of("queued", "running")
                .contains(admin.get(path).path("state").asText()));
        until(
                "its result is served, or not",
                () -> !admin.get(path).at("/activation/state").asText().equals("pending"));
        JsonNode ended = admin.get(path);
        assertEquals("done", ended.at("/activation/state").asText(), ended::toString);
        assertThat(admin.get("/admin/v1/models/luq-demo").toString(), containsString("by-the-api"));
        assertThat(answer(user.ask()), containsString("[DONE]"));
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
        assertThat(admin.get("/admin/v1/models/luq-demo").toString(), containsString("demo-70pct"));
    }

    @Test
    void aChangedSecretHoldsWithoutARestart() throws Exception {
        String other = "user-fedcba9876543210";
        Path keys = server.volumeFolder("api-keys").resolve("api-keys");
        String before = Files.readString(keys);
        try {
            Files.writeString(keys, "user:" + other + "\nadmin:" + ADMIN + "\n");
            until("the new key holds", () -> new PodClient(server, other, directory).status("/v1/models") == 200);
            assertEquals(401, user.status("/v1/models"));
        } finally {
            Files.writeString(keys, before);
        }
        until("the old key holds again", () -> user.status("/v1/models") == 200);
    }

    @Test
    void streamsEndBeforeThePodDoes() throws Exception {
        Rendered alone = Chart.render(KEYS);
        try (Pod pod = start(alone, "drained")) {
            List<Process> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                streams.add(user(pod).ask(200));
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
            assertThat(answer(user(pod).ask()), containsString("[DONE]"));
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
            new PodClient(pod, ADMIN, directory).post("/admin/v1/models/late/load", "");
            pod.awaitReady();
        }
    }

    private static int oomScore(ProcessHandle process) throws IOException {
        return Integer.parseInt(Files.readString(Path.of("/proc", Long.toString(process.pid()), "oom_score_adj"))
                .strip());
    }

    private static Pod start(Rendered chart, String name) throws IOException {
        return Pod.start(chart, image, directory.resolve(name));
    }

    private static PodClient user(Pod pod) {
        return new PodClient(pod, USER, directory);
    }
}
