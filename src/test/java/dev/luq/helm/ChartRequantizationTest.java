package dev.luq.helm;

import static dev.luq.helm.Chart.named;
import static dev.luq.helm.Chart.stream;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.matchesPattern;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Re-quantization in a pod of its own. */
@Integration
class ChartRequantizationTest {

    private static final String DEMO =
            "{persistence: {enabled: true}, requantization: {enabled: true, budget: 60%%%s}}";
    private static final String OTHER =
            """
            models: [{id: qwen, model: qwen/m.gguf, mmproj: qwen/p.gguf}]
            persistence: {enabled: true, accessModes: [ReadWriteMany], existingClaim: shared}
            sets: [{name: asked, configMap: asked}, {name: held-out, claim: pictures}]
            requantization:
              enabled: true
              model: qwen
              calibrationSet: asked
              evaluationSet: held-out
              args: [--seed, "7"]
            """;

    @Test
    void theDemoModelIsMadeSmallerWithItsOwnSets() {
        JsonNode container =
                container(Chart.render(DEMO.formatted("")).only("Job").path("spec"));
        assertEquals(
                List.of(
                        "luq",
                        "requantize",
                        "--model",
                        "demo",
                        "--id",
                        "luq-demo",
                        "--data-dir",
                        "/var/lib/luq/data",
                        "--budget",
                        "60%",
                        "--method",
                        "best",
                        "--calibration",
                        "/opt/luq/models/demo/calibration",
                        "--evaluation",
                        "/opt/luq/models/demo/evaluation"),
                arguments(container));
        assertThat(variant(DEMO.formatted("")), matchesPattern("demo-60pct-[0-9a-f]{6}"));
    }

    private static String variant(String values) {
        return variable(container(Chart.render(values).only("Job").path("spec")), "LUQ_VARIANT")
                .path("value")
                .asText();
    }

    @Test
    void theJobAndTheServerSeeTheSameFiles() {
        Rendered chart = Chart.render(OTHER);
        JsonNode job = chart.only("Job").path("spec");
        JsonNode pod = job.at("/template/spec");
        List<String> arguments = arguments(container(job));
        assertEquals("/var/lib/luq/qwen/m.gguf", arguments.get(arguments.indexOf("--model") + 1));
        assertEquals(chart.properties().get("luq.models.\"qwen\".model"), "/var/lib/luq/qwen/m.gguf");
        assertEquals("/var/lib/luq/qwen/p.gguf", arguments.get(arguments.indexOf("--mmproj") + 1));
        assertEquals(chart.environment("LUQ_DATA_DIR"), arguments.get(arguments.indexOf("--data-dir") + 1));
        assertEquals(
                chart.environment("LUQ_SETS_ROOT") + "/held-out", arguments.get(arguments.indexOf("--evaluation") + 1));
        assertEquals(List.of("--seed", "7"), arguments.subList(arguments.size() - 2, arguments.size()));
        assertEquals(chart.volume("/var/lib/luq"), named(pod.path("volumes"), "data"));
        assertEquals("copy-sets", pod.at("/initContainers/0/name").asText());
        assertEquals(chart.container().path("image"), container(job).path("image"));
    }

    @Test
    void aModelWithAddressesIsFetchedForTheJobAsForTheServer() {
        Rendered chart = Chart.render(
                """
                models:
                  - id: a
                    model: m.gguf
                    source:
                      files: [{url: "https://example.org:8443/m.gguf", sha256: "%s"}]
                      headerSecret: {name: hub, key: header}
                persistence: {enabled: true}
                requantization: {enabled: true, model: a}
                networkPolicy: {enabled: true, egress: [{ports: [{port: 3128}]}]}
                """
                        .formatted("0a".repeat(32)));
        JsonNode job = chart.only("Job").path("spec");
        JsonNode pod = job.at("/template/spec");
        assertEquals(
                named(chart.podSpec().path("initContainers"), "fetch-models"),
                named(pod.path("initContainers"), "fetch-models"));
        assertTrue(arguments(container(job)).contains("/var/lib/luq/models/a/m.gguf"));
        assertEveryMountHasAVolume(pod);
        JsonNode server = policy(chart, chart.podTemplate());
        JsonNode requantization = policy(chart, job.path("template"));
        assertEquals(
                List.of("53", "53", "5353", "5353", "8443"),
                requantization.at("/egress/0/ports").findValuesAsText("port"));
        assertEquals(server.path("egress"), requantization.path("egress"));
    }

    @Test
    void aModelOfAnExtraVolumeIsThereForTheJobToo() {
        Rendered chart = Chart.render(
                """
                models: [{id: a, model: /models/m.gguf}]
                persistence: {enabled: true}
                requantization: {enabled: true, model: a}
                extraVolumes: [{name: models, emptyDir: {}}]
                extraVolumeMounts: [{name: models, mountPath: /models}]
                initContainers:
                  - {name: bring, image: "example.org/bring:1", volumeMounts: [{name: models, mountPath: /models}]}
                """);
        JsonNode job = chart.only("Job").path("spec");
        JsonNode pod = job.at("/template/spec");
        assertEquals(chart.mount("/models"), named(container(job).path("volumeMounts"), "models"));
        assertEquals(chart.volume("/models"), named(pod.path("volumes"), "models"));
        assertEquals(
                named(chart.podSpec().path("initContainers"), "bring"), named(pod.path("initContainers"), "bring"));
    }

    @Test
    void aVolumeOfOneNodeTakesTheJobToTheServer() {
        JsonNode pod = Chart.render(DEMO.formatted("")).only("Job").at("/spec/template/spec");
        JsonNode selector = pod.at(
                "/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchLabels");
        Rendered chart = Chart.render(DEMO.formatted(""));
        assertTrue(Chart.selects(selector, chart.podTemplate().at("/metadata/labels")));
        assertFalse(Chart.render(OTHER).only("Job").at("/spec/template/spec").has("affinity"));
    }

    @Test
    void theJobRunsOnNodesThatTheServerMayRunOn() {
        String values =
                "{schedulerName: packing, runtimeClassName: kata, affinity: {nodeAffinity: NODE, podAntiAffinity: {}}, "
                        + DEMO.formatted("").substring(1);
        String node =
                "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a,"
                        + " operator: Exists}]}]}}";
        Rendered chart = Chart.render(values.replace("NODE", node));
        JsonNode pod = chart.only("Job").at("/spec/template/spec");
        assertEquals(chart.podSpec().at("/affinity/nodeAffinity"), pod.at("/affinity/nodeAffinity"));
        assertTrue(pod.path("affinity").has("podAffinity"));
        assertFalse(pod.path("affinity").has("podAntiAffinity"), "it would keep away from the server");
        assertEquals("packing", pod.path("schedulerName").asText());
        assertEquals("kata", pod.path("runtimeClassName").asText());
    }

    @Test
    void everyReadyServerIsToldWithTheAdminKey() {
        Rendered chart = Chart.render(DEMO.formatted(""));
        JsonNode container = container(chart.only("Job").path("spec"));
        JsonNode headless = chart.all("Service").stream()
                .filter(service -> service.at("/spec/clusterIP").asText().equals("None"))
                .findFirst()
                .orElseThrow();
        assertEquals(
                headless.at("/metadata/name"),
                variable(container, "LUQ_SERVERS").path("value"));
        assertEquals(
                "8080", variable(container, "LUQ_SERVER_PORT").path("value").asText());
        JsonNode key = variable(container, "LUQ_API_KEY").at("/valueFrom/secretKeyRef");
        assertTrue(chart.only("Secret").path("data").has(key.path("key").asText()));
        assertEquals(chart.only("Secret").at("/metadata/name"), key.path("name"));
        assertFalse(chart.container().toString().contains("admin-key"));
        Rendered silent = Chart.render(DEMO.formatted(", activate: false"));
        assertFalse(container(silent.only("Job").path("spec"))
                .path("env")
                .toString()
                .contains("LUQ_API_KEY"));
        assertEquals(1, silent.all("Service").size());
    }

    @Test
    void otherValuesAreAnotherJob() {
        String name = name(DEMO.formatted(""));
        assertThat(name, matchesPattern("luq-luq-server-requantize-[0-9a-f]{8}"));
        assertEquals(name, name(DEMO.formatted("")));
        assertNotEquals(name, name(DEMO.formatted(", method: kld")));
        assertEquals(name, name(DEMO.formatted(", backoffLimit: 1")), "what may change in a Job is no other one");
        JsonNode labels = Chart.render(DEMO.formatted("")).only("Job").at("/spec/template/metadata/labels");
        assertFalse(labels.has("helm.sh/chart"), "another version of the chart alone is no other one");
    }

    /** The command refuses to make another model under the same name. */
    @Test
    void otherValuesAreAnotherVariantUnlessItHasAName() {
        String variant = variant(DEMO.formatted(""));
        assertEquals(variant, variant(DEMO.formatted(", backoffLimit: 1")));
        assertNotEquals(variant, variant(DEMO.formatted(", method: allocation")));
        assertNotEquals(variant, variant(DEMO.formatted(", args: [--seed, '7']")));
        assertEquals("small", variant(DEMO.formatted(", method: kld, variant: small")));
        String other = variant(OTHER);
        assertNotEquals(other, variant(OTHER.replace("configMap: asked", "configMap: asked-later")));
        assertEquals(other, variant(OTHER.replace("sets: [", "sets: [{name: unused, claim: a}, ")));
    }

    @Test
    void whatServingTakesIsCountedAsItIsServed() {
        List<String> arguments = arguments(container(Chart.render(
                        """
                models: [{id: a, model: m.gguf, kernels: compact, settings: {slots: 1}}]
                config: {luq.worker.slots: 2, luq.worker.context-size: 4096, luq.worker.kernels: fast}
                persistence: {enabled: true}
                requantization: {enabled: true, model: a, budget: 3GiB}
                """)
                .only("Job")
                .path("spec")));
        int from = arguments.indexOf("--kernels");
        assertEquals(
                List.of("--kernels", "compact", "--context-size", "4096", "--slots", "1"),
                arguments.subList(from, from + 6));
    }

    @Test
    void aJobMayGoAsSoonAsItHasEnded() {
        assertEquals(
                0,
                Chart.render(DEMO.formatted(", ttlSecondsAfterFinished: 0"))
                        .only("Job")
                        .at("/spec/ttlSecondsAfterFinished")
                        .asInt(-1));
    }

    @Test
    void aScheduleIsACronJobWithAVariantEachDay() {
        Rendered chart = Chart.render("r".repeat(53), DEMO.formatted(", schedule: '0 3 * * 0'"));
        JsonNode cron = chart.only("CronJob");
        assertTrue(cron.at("/metadata/name").asText().length() <= 52, "its Jobs' names have 11 characters more");
        assertEquals("Forbid", cron.at("/spec/concurrencyPolicy").asText());
        JsonNode container = container(cron.at("/spec/jobTemplate/spec"));
        assertEquals(
                "true",
                variable(container, "LUQ_VARIANT_EACH_DAY").path("value").asText());
        assertEquals("3", variable(container, "LUQ_KEEP_VARIANTS").path("value").asText());
        assertEquals(
                "metadata.labels['job-name']",
                variable(container, "LUQ_JOB")
                        .at("/valueFrom/fieldRef/fieldPath")
                        .asText());
        assertTrue(chart.all("Job").isEmpty());
    }

    @Test
    void aScheduleIsOfATimeZone() {
        assertEquals(
                "Europe/Vienna",
                Chart.render(DEMO.formatted(", schedule: '0  3 * * 0', timeZone: Europe/Vienna"))
                        .only("CronJob")
                        .at("/spec/timeZone")
                        .asText());
    }

    @Test
    void theCommandTakesVariables() {
        JsonNode job = Chart.render(DEMO.formatted(", extraEnv: [{name: LUQ_COMMAND_HEAP, value: 2g}]"))
                .only("Job")
                .path("spec");
        assertEquals(
                "2g", variable(container(job), "LUQ_COMMAND_HEAP").path("value").asText());
    }

    @Test
    void thePodOfTheJobIsHardenedAndIsNotAskedAsAServer() {
        Rendered chart = Chart.render(OTHER);
        JsonNode template = chart.only("Job").at("/spec/template");
        assertTrue(template.at("/spec/securityContext/runAsNonRoot").asBoolean());
        stream(template.at("/spec/containers"))
                .forEach(c -> assertTrue(
                        c.at("/securityContext/readOnlyRootFilesystem").asBoolean()));
        assertFalse(template.at("/spec/automountServiceAccountToken").asBoolean(true));
        chart.all("Service")
                .forEach(service ->
                        assertFalse(Chart.selects(service.at("/spec/selector"), template.at("/metadata/labels"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``                                                                     | a volume that they share",
                "persistence: {enabled: true, accessModes: [ReadWriteOncePod]}          | ReadWriteOncePod",
                "persistence: {enabled: true}; kind: StatefulSet                        | one for all replicas",
                "persistence: {enabled: true}; apiKeys: {anonymous: true}               | set activate to false",
                "persistence: {enabled: true}; apiKeys: {existingSecret: mine}          | keySecret",
                "persistence: {enabled: true}; apiKeys: {user: [user-0123456789abcdef]} | apiKeys.admin",
                "persistence: {enabled: true}; models: [{id: a, model: a.gguf}]         | is not the id of one",
                "persistence: {enabled: true}; initContainers: [{name: a, image: b, volumeMounts: [{name: config, mountPath: /c}]}] | no volume config",
                "persistence: {enabled: true, accessModes: [ReadWriteMany]}; autoscaling: {enabled: true, provider: keda, minReplicas: 0, keda: {triggers: [{type: cron, metadata: {}}]}} | no server to be told"
            })
    void whatCannotWorkIsRefused(String values, String message) {
        assertThat(
                Chart.refusal("requantization: {enabled: true}\n" + values.replace("; ", "\n")),
                containsString(message));
    }

    @Test
    void aVariantWithItsDayIsStillAName() {
        String values = ", schedule: '@daily', variant: " + "v".repeat(55);
        assertEquals(1, Chart.render(DEMO.formatted(values)).all("CronJob").size());
        assertThat(Chart.refusal(DEMO.formatted(values + "v")), containsString("at most 55 characters"));
    }

    /** The policy whose labels are those of a pod; that of all pods but the server's has expressions. */
    private static JsonNode policy(Rendered chart, JsonNode template) {
        return chart.all("NetworkPolicy").stream()
                .map(policy -> policy.path("spec"))
                .filter(policy -> !policy.path("podSelector").has("matchExpressions")
                        && Chart.selects(policy.at("/podSelector/matchLabels"), template.at("/metadata/labels")))
                .findFirst()
                .orElseThrow();
    }

    private static void assertEveryMountHasAVolume(JsonNode pod) {
        Stream.concat(stream(pod.path("initContainers")), stream(pod.path("containers")))
                .flatMap(container -> stream(container.path("volumeMounts")))
                .forEach(mount -> named(pod.path("volumes"), mount.path("name").asText()));
    }

    private static String name(String values) {
        return Chart.render(values).only("Job").at("/metadata/name").asText();
    }

    private static JsonNode container(JsonNode job) {
        return job.at("/template/spec/containers/0");
    }

    private static JsonNode variable(JsonNode container, String name) {
        return named(container.path("env"), name);
    }

    private static List<String> arguments(JsonNode container) {
        return stream(container.path("args")).map(JsonNode::asText).toList();
    }
}
