package dev.luq.helm;

import static dev.luq.Until.until;
import static dev.luq.helm.PodClient.answer;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.greaterThan;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The chart in a Kubernetes cluster of one node, by Helm: {@code ./luq test --cluster}. */
@Integration
@EnabledIfSystemProperty(named = "luq.cluster", matches = ".+")
class ClusterTest {

    private static final String NAMESPACE = "edge";
    private static final Duration MINUTES = Duration.ofMinutes(5);
    /** Tokens of an answer that is not at its end when its pod is told to stop. */
    private static final int LONG = 600;

    private static final String IMAGE = "image: {repository: localhost/luq-server, tag: test, pullPolicy: Never}\n";
    /** For releases that are there with others: the node has few processors to promise. */
    private static final String SMALL = IMAGE + "resources: {requests: {cpu: 100m}}\n";

    @TempDir
    private static Path directory;

    private static LocalCluster cluster;
    /** Of the default values. */
    private static Release luq;

    @BeforeAll
    static void start() throws IOException {
        cluster = LocalCluster.started();
        cluster.apply(
                """
                apiVersion: v1
                kind: Namespace
                metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: restricted}}
                """
                        .formatted(NAMESPACE));
        luq = new Release("luq", IMAGE);
    }

    @AfterAll
    static void stop() {
        if (luq != null) {
            luq.close();
        }
    }

    @Test
    void theDefaultValuesAreReadyAndPassTheirTest() {
        JsonNode pod = luq.pod();
        assertTrue(isReady(pod), pod::toString);
        assertEquals(0, pod.at("/status/containerStatuses/0/restartCount").intValue());
        assertThat(
                cluster.helm("test", "luq", "--namespace", NAMESPACE, "--logs"),
                containsString("ok: /v1/models with a key is 200"));
    }

    @Test
    void aPodThatMayMoreIsNotAdmitted() {
        Command.Result result =
                cluster.tryKubectl("run", "more", "--namespace", NAMESPACE, "--image=localhost/luq-server:test");
        assertNotEquals(0, result.code());
        assertThat(result.output(), containsString("restricted"));
    }

    @Test
    void aPictureIsAnsweredThroughTheService() throws Exception {
        assertThat(answer(user("luq").ask()), containsString("[DONE]"));
    }

    @Test
    void aWorkerThatIsKilledHasASuccessorInTheSamePod() throws Exception {
        String before = name(luq.pod());
        cluster.kubectl(
                "exec",
                before,
                "--namespace",
                NAMESPACE,
                "--",
                "bash",
                "-c",
                // Not the words of this command.
                "for process in /proc/[0-9]*; do ! grep -q Worker[M]ain $process/cmdline || kill -KILL ${process#/proc/}; done");
        PodClient user = user("luq");
        until("it is ready again", MINUTES, () -> isReady(luq.pod()) && isReached(user));
        assertThat(answer(user.ask()), containsString("[DONE]"));
        assertEquals(before, name(luq.pod()));
        assertEquals(0, luq.pod().at("/status/containerStatuses/0/restartCount").intValue());
    }

    @Test
    void generatedKeysSurviveAnUpgradeAndGivenOnesReplaceThem() throws Exception {
        String before = cluster.secret(NAMESPACE, "luq-luq-server-api-keys", "user-key");
        install("luq", IMAGE + "podAnnotations: {upgraded: once}\n");
        assertEquals(before, cluster.secret(NAMESPACE, "luq-luq-server-api-keys", "user-key"));
        assertEquals(200, client("luq", before).status("/v1/models"));

        String given = "user-0123456789abcdef";
        install("luq", IMAGE + "apiKeys: {user: [%s]}\n".formatted(given));
        assertEquals(200, client("luq", given).status("/v1/models"));
        assertEquals(401, client("luq", before).status("/v1/models"));
    }

    @Test
    void aChangedSecretHoldsWithoutARestart() throws Exception {
        String first = "user-0123456789abcdef";
        String second = "user-fedcba9876543210";
        keys(first);
        try (Release release = new Release("rotated", SMALL + "apiKeys: {existingSecret: keys}\n")) {
            String pod = name(release.pod());
            assertEquals(200, client("rotated", first).status("/v1/models"));
            keys(second);
            until(
                    "the kubelet has brought it",
                    MINUTES,
                    () -> client("rotated", second).status("/v1/models") == 200);
            assertEquals(401, client("rotated", first).status("/v1/models"));
            assertEquals(pod, name(release.pod()));
        }
    }

    @Test
    void answersGoOnToTheirEndWhileTheirPodStops() throws Exception {
        String slow = "preStopSeconds: 1\ndrainSeconds: 300\nterminationGracePeriodSeconds: 330\n";
        try (Release release = new Release("drained", SMALL + slow)) {
            String pod = name(release.pod());
            List<Process> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                streams.add(user("drained").ask(LONG));
            }
            for (Process stream : streams) {
                assertNotEquals(-1, stream.getInputStream().read());
            }
            PodClient stopping = new PodClient(
                    cluster::inItsNetwork, release.pod().at("/status/podIP").asText() + ":8080", "", directory);
            cluster.kubectl("rollout", "restart", "deployment/drained-luq-server", "--namespace", NAMESPACE);
            until("it was told to stop", () -> stopping.status("/q/health/ready") == 503);
            for (Process stream : streams) {
                assertTrue(stream.isAlive(), "it ended before");
            }
            for (Process stream : streams) {
                assertThat(answer(stream), containsString("[DONE]"));
            }
            cluster.kubectl(
                    "rollout", "status", "deployment/drained-luq-server", "--namespace", NAMESPACE, "--timeout=5m");
            assertNotEquals(pod, name(release.pod()));
        }
    }

    @Test
    void noRequestFailsWhileReplicasAreReplaced() throws Exception {
        try (Release release = new Release("pair", SMALL + "replicaCount: 2\n")) {
            PodClient user = user("pair");
            List<String> before = release.names();
            assertEquals(2, before.size(), before::toString);
            cluster.kubectl("rollout", "restart", "deployment/pair-luq-server", "--namespace", NAMESPACE);
            int answered = 0;
            while (release.names().stream().anyMatch(before::contains)) {
                assertThat(answer(user.ask()), containsString("[DONE]"));
                answered++;
            }
            assertThat(answered, greaterThan(2));
        }
    }

    @Test
    void theEdgeFetchesItsModelReQuantizesItByAJobAndServesTheResult() throws Exception {
        Path models = Path.of("models", "demo");
        cluster.volume("edge");
        set("questions", models.resolve("calibration"), 24);
        String values = Files.readString(Chart.DIRECTORY.resolve("values-edge.yaml"))
                + IMAGE
                + """
                  networkPolicy: {enabled: true}
                  models:
                    - id: fetched
                      model: luq-demo-F16.gguf
                      mmproj: mmproj-luq-demo-F16.gguf
                      memory: 400Mi
                      source:
                        files:
                          - {url: 'http://%1$s:8000/luq-demo-F16.gguf', sha256: '%2$s'}
                          - {url: 'http://%1$s:8000/mmproj-luq-demo-F16.gguf', sha256: '%3$s'}
                  sets:
                    - {name: questions, configMap: questions}
                  resources: {requests: {cpu: 100m}}
                  requantization:
                    enabled: true
                    model: fetched
                    method: entropy
                    calibrationSet: questions
                    evaluationSet: questions
                    args: [--calibration-examples, '8', --evaluation-examples, '8']
                    resources: {requests: {cpu: 100m, memory: 512Mi}}
                  """
                        .formatted(
                                LocalCluster.ADDRESS,
                                sha256(models.resolve("luq-demo-F16.gguf")),
                                sha256(models.resolve("mmproj-luq-demo-F16.gguf")));
        Process source = new ProcessBuilder(
                        cluster.line("python3", "-m", "http.server", "--directory", models.toString(), "8000"))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("source.log").toFile())
                .start();
        try (Release release = new Release("edge", values)) {
            assertThat(answer(user("edge").ask()), containsString("[DONE]"));
            cluster.kubectl(
                    "wait",
                    "--for=condition=Complete",
                    "job",
                    "--selector",
                    "app.kubernetes.io/instance=edge",
                    "--namespace",
                    NAMESPACE,
                    "--timeout=10m");
            PodClient admin = client("edge", cluster.secret(NAMESPACE, "edge-luq-server-api-keys", "admin-key"));
            assertThat(admin.get("/admin/v1/models/fetched").toString(), containsString("fetched-70pct"));
            assertThat(answer(user("edge").ask()), containsString("[DONE]"));
            assertEquals(1, release.names().size());
        } finally {
            source.destroy();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"StatefulSet", "DaemonSet"})
    void otherWorkloadsAnswerToo(String kind) throws Exception {
        String own = kind.equals("StatefulSet") ? "replicaCount: 2\npersistence: {enabled: true}\n" : "";
        for (int i = 0; i < 2 && !own.isEmpty(); i++) {
            cluster.volume("replica-" + i);
        }
        try (Release release = new Release("other", SMALL + "kind: " + kind + "\n" + own)) {
            assertEquals(own.isEmpty() ? 1 : 2, release.names().size());
            assertThat(answer(user("other").ask()), containsString("[DONE]"));
            cluster.kubectl("rollout", "restart", kind + "/other-luq-server", "--namespace", NAMESPACE);
            cluster.kubectl("rollout", "status", kind + "/other-luq-server", "--namespace", NAMESPACE, "--timeout=5m");
            assertThat(cluster.helm("test", "other", "--namespace", NAMESPACE), containsString("Succeeded"));
        }
    }

    /** A release of the chart; closing removes it. */
    private record Release(String name) implements AutoCloseable {

        /** Installs it and waits until it is ready. */
        Release(String name, String values) throws IOException {
            this(name);
            install(name, values);
            // Where one pod of a DaemonSet may be missing, Helm waits for none.
            cluster.kubectl(
                    "wait",
                    "--for=condition=Ready",
                    "pod",
                    "--selector",
                    selector(),
                    "--namespace",
                    NAMESPACE,
                    "--timeout=5m");
        }

        private String selector() {
            return "app.kubernetes.io/component=server,app.kubernetes.io/instance=" + name;
        }

        /** Its pods of the server that are not about to stop. */
        List<JsonNode> pods() {
            return cluster.objects(NAMESPACE, "pod", selector()).stream()
                    .filter(pod -> !pod.path("metadata").has("deletionTimestamp"))
                    .toList();
        }

        JsonNode pod() {
            List<JsonNode> pods = pods();
            assertEquals(1, pods.size(), pods::toString);
            return pods.get(0);
        }

        List<String> names() {
            return pods().stream().map(ClusterTest::name).toList();
        }

        @Override
        public void close() {
            cluster.helm("uninstall", name, "--namespace", NAMESPACE, "--wait", "--timeout", "5m");
        }
    }

    private static void install(String release, String values) throws IOException {
        Path file = Files.writeString(directory.resolve(release + ".yaml"), values);
        Command.Result result = cluster.tryHelm(
                "upgrade",
                release,
                Chart.DIRECTORY.toString(),
                "--install",
                "--namespace",
                NAMESPACE,
                "--wait",
                "--timeout",
                "5m",
                "--values",
                file.toString());
        assertEquals(
                0,
                result.code(),
                () -> result.output()
                        + cluster.tryKubectl(
                                        "describe",
                                        "pods",
                                        "--namespace",
                                        NAMESPACE,
                                        "--selector",
                                        "app.kubernetes.io/instance=" + release)
                                .output());
    }

    private static PodClient user(String release) {
        return client(release, cluster.secret(NAMESPACE, release + "-luq-server-api-keys", "user-key"));
    }

    /** Of a release's Service. */
    private static PodClient client(String release, String key) {
        String address = cluster.kubectl(
                "get",
                "service",
                release + "-luq-server",
                "--namespace",
                NAMESPACE,
                "--output",
                "jsonpath={.spec.clusterIP}");
        return new PodClient(cluster::inItsNetwork, address + ":8080", key, directory);
    }

    private static void keys(String user) {
        cluster.apply(
                """
                {apiVersion: v1, kind: Secret, metadata: {name: keys, namespace: %s}, stringData: {api-keys: 'user:%s'}}
                """
                        .formatted(NAMESPACE, user));
    }

    /** A ConfigMap of the first questions of a set, with their pictures. */
    private static void set(String name, Path set, int questions) throws IOException {
        Path folder = Files.createDirectories(directory.resolve(name));
        List<String> lines;
        try (Stream<String> all = Files.lines(set.resolve(set.getFileName() + ".jsonl"))) {
            lines = all.limit(questions).toList();
        }
        Files.write(folder.resolve("set.jsonl"), lines);
        for (String line : lines) {
            String picture = new ObjectMapper().readTree(line).path("image").asText();
            Files.copy(set.resolve(picture), folder.resolve(picture), StandardCopyOption.REPLACE_EXISTING);
        }
        cluster.kubectl("create", "configmap", name, "--namespace", NAMESPACE, "--from-file=" + folder);
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private static boolean isReady(JsonNode pod) {
        return pod.at("/status/containerStatuses/0/ready").booleanValue();
    }

    /** A Service without a pod that is ready refuses connections. */
    private static boolean isReached(PodClient user) {
        try {
            return user.status("/q/health/ready") == 200;
        } catch (AssertionError e) {
            return false;
        }
    }

    private static String name(JsonNode object) {
        return object.at("/metadata/name").asText();
    }
}
