package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The values files beside values.yaml: each is rendered as it is, on the oldest and the newest cluster. */
@Integration
class ChartProfilesTest {

    private static final Path EDGE = Chart.DIRECTORY.resolve("values-edge.yaml");
    private static final Path FLEET = Chart.DIRECTORY.resolve("values-fleet.yaml");

    static Stream<Path> profiles() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(Chart.DIRECTORY);
                Stream<Path> examples = Files.list(Chart.DIRECTORY.resolve("examples"))) {
            files = Stream.concat(all, examples)
                    .filter(file -> file.getFileName().toString().endsWith(".yaml")
                            && !file.getFileName().toString().equals("Chart.yaml"))
                    .toList();
        }
        assertTrue(files.size() >= 5, files::toString);
        return files.stream();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void everyProfileIsTakenByTheOldestAndTheNewestCluster(Path profile) {
        for (String kubernetes : List.of("1.25.0", "1.35.0")) {
            Rendered chart = Chart.renderFileOn(kubernetes, profile);
            assertTrue(chart.objects().size() >= 5);
            assertTrue(chart.podSpec().at("/securityContext/runAsNonRoot").asBoolean());
        }
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void aProfileSaysWhatDiffersFromTheDefaultsAndNothingElse(Path profile) {
        Map<String, JsonNode> defaults = leaves(Chart.values());
        Map<String, JsonNode> repeated = leaves(Chart.yaml(profile));
        repeated.entrySet().retainAll(defaults.entrySet());
        assertEquals(profile.endsWith("values.yaml") ? defaults : Map.of(), repeated);
    }

    /** What is no map, by the names on the way to it. */
    private static Map<String, JsonNode> leaves(JsonNode node) {
        Map<String, JsonNode> leaves = new TreeMap<>();
        node.properties().forEach(entry -> {
            if (entry.getValue().isObject() && !entry.getValue().isEmpty()) {
                leaves(entry.getValue()).forEach((name, leaf) -> leaves.put(entry.getKey() + "." + name, leaf));
            } else {
                leaves.put(entry.getKey(), entry.getValue());
            }
        });
        return leaves;
    }

    @Test
    void theEdgeIsOnePodThatFitsIntoFourGibibytes() {
        Rendered chart = Chart.renderFile(EDGE);
        assertEquals(1, chart.only("Deployment").at("/spec/replicas").asInt());
        assertEquals(
                "Recreate", chart.only("Deployment").at("/spec/strategy/type").asText());
        String memory = chart.container().at("/resources/limits/memory").asText();
        assertTrue(Integer.parseInt(memory.replace("Mi", "")) < 3584, memory);
        assertEquals("compact", chart.properties().get("luq.worker.kernels"));
    }

    @Test
    void openShiftChoosesUsersItself() {
        JsonNode context = Chart.renderFile(Chart.DIRECTORY.resolve("values-openshift.yaml"))
                .podSpec()
                .path("securityContext");
        for (String chosen : List.of("runAsUser", "runAsGroup", "fsGroup")) {
            assertFalse(context.has(chosen), chosen);
        }
        assertEquals("RuntimeDefault", context.at("/seccompProfile/type").asText());
    }

    @Test
    void aFleetMayBeAStatefulSet() throws IOException {
        Path values = Files.createTempFile("fleet", ".yaml");
        Files.writeString(values, Files.readString(FLEET) + "\nkind: StatefulSet\npersistence: {enabled: true}\n");
        assertTrue(Chart.renderFile(values)
                .only("StatefulSet")
                .at("/spec/updateStrategy")
                .isMissingNode());
        Files.delete(values);
    }

    @Test
    void aFleetScalesAndIsWatched() {
        Rendered chart = Chart.renderFile(FLEET);
        for (String kind : List.of(
                "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor", "PrometheusRule")) {
            assertFalse(chart.all(kind).isEmpty(), kind);
        }
        assertTrue(chart.only("HorizontalPodAutoscaler").at("/spec/minReplicas").asInt() >= 2);
    }
}
