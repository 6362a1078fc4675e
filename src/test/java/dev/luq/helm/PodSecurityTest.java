package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The level {@code restricted} of Kubernetes' Pod Security Standards, judged by Kubernetes' own code, which lies in
 * src/test/pod-security: {@code ./luq test --deploy}.
 */
@Integration
@EnabledIfSystemProperty(named = "luq.deploy", matches = ".+")
class PodSecurityTest {

    private static final String PROGRAM =
            Path.of(System.getProperty("luq.deploy", ""), "pod-security").toString();

    @ParameterizedTest
    @MethodSource("dev.luq.helm.ChartProfilesTest#profiles")
    void everyPodOfAProfileIsRestricted(Path values) {
        assertRestricted(Chart.renderFile(values));
    }

    @Test
    void everyPodOfAllThatCanBeSwitchedOnIsRestricted() {
        assertRestricted(Chart.renderFull());
        assertRestricted(Chart.render(
                """
                persistence: {enabled: true}
                sets: [{name: questions, configMap: questions}]
                requantization: {enabled: true, model: a, calibrationSet: questions, evaluationSet: questions}
                models:
                  - {id: a, model: a.gguf, source: {files: [{url: 'https://models.example.org/a.gguf', sha256: '%s'}]}}
                initContainers: [{name: first, image: busybox}]
                extraContainers: [{name: beside, image: busybox}]
                """
                        .formatted("0".repeat(64))));
    }

    @Test
    void aPodThatMayMoreIsRefused() {
        ObjectNode pod = Chart.render().only("Pod").deepCopy();
        pod.withObject("/spec").put("hostNetwork", true);
        Command.Result result = judge(List.of(pod));
        assertNotEquals(0, result.code());
        assertThat(result.output(), containsString("hostNetwork"));
    }

    private static void assertRestricted(Rendered chart) {
        Command.Result result = judge(chart.objects());
        assertEquals(0, result.code(), result.output());
        assertThat(result.output(), containsString("restricted"));
    }

    private static Command.Result judge(List<? extends JsonNode> objects) {
        return Command.run(
                List.of(PROGRAM), objects.stream().map(JsonNode::toString).collect(Collectors.joining("\n---\n")));
    }
}
