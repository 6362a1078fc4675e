package dev.luq.helm;

import static dev.luq.helm.Chart.selects;
import static dev.luq.helm.Chart.stream;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the chart puts into a cluster. */
@Integration
class ChartRenderTest {

    @AfterEach
    void emptyTheCluster() {
        Cluster.clear();
    }

    @Test
    void defaultsNeedNothingButACluster() {
        assertEquals(
                Set.of("ConfigMap", "Deployment", "Pod", "Secret", "Service", "ServiceAccount"), kinds(Chart.render()));
    }

    @Test
    void everyOptionalObjectCanBeSwitchedOn() {
        assertEquals(
                Set.of(
                        "ConfigMap",
                        "Deployment",
                        "Ingress",
                        "NetworkPolicy",
                        "PersistentVolumeClaim",
                        "Pod",
                        "PodDisruptionBudget",
                        "Secret",
                        "Service",
                        "ServiceAccount",
                        "ServiceMonitor"),
                kinds(Chart.renderFull()));
    }

    @Test
    void everyContainerRunsWithoutPrivileges() {
        for (JsonNode pod : pods(Chart.renderFull())) {
            assertFalse(pod.path("automountServiceAccountToken").asBoolean(true));
            JsonNode ofPod = pod.path("securityContext");
            assertTrue(ofPod.path("runAsNonRoot").asBoolean());
            assertTrue(ofPod.path("runAsUser").asInt() > 1000);
            assertTrue(ofPod.path("fsGroup").asInt() > 1000);
            assertEquals("RuntimeDefault", ofPod.at("/seccompProfile/type").asText());
            for (JsonNode container : containers(pod)) {
                JsonNode context = container.path("securityContext");
                assertTrue(context.path("readOnlyRootFilesystem").asBoolean());
                assertFalse(context.path("allowPrivilegeEscalation").asBoolean(true));
                assertEquals("[\"ALL\"]", context.at("/capabilities/drop").toString());
                assertFalse(context.at("/capabilities/add").isArray());
                assertFalse(context.path("privileged").asBoolean());
            }
            assertFalse(pod.path("hostNetwork").asBoolean());
            assertFalse(pod.path("hostPID").asBoolean());
            pod.path("volumes").forEach(volume -> assertFalse(volume.has("hostPath")));
        }
    }

    @Test
    void whatIsWrittenIsOnVolumes() {
        Rendered chart = Chart.render();
        assertEquals("emptyDir", volumeOf(chart, "/tmp"));
        assertEquals("emptyDir", volumeOf(chart, chart.environment("LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR")));
        assertEquals("emptyDir", volumeOf(chart, "/var/lib/luq"));
        for (String folder : List.of("LUQ_DATA_DIR", "LUQ_ADMIN_MODELS_DIR")) {
            assertTrue((chart.environment(folder) + "/").startsWith("/var/lib/luq/"), folder);
        }
    }

    @Test
    void probesAskTheHealthEndpoints() {
        JsonNode container = Chart.render().container();
        JsonNode startup = container.path("startupProbe");
        assertEquals("/q/health/started", startup.at("/httpGet/path").asText());
        assertEquals(
                "/q/health/live", container.at("/livenessProbe/httpGet/path").asText());
        assertEquals(
                "/q/health/ready", container.at("/readinessProbe/httpGet/path").asText());
        for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            assertEquals("http", container.path(probe).at("/httpGet/port").asText());
        }
        assertEquals("http", container.at("/ports/0/name").asText());
        assertEquals(8080, container.at("/ports/0/containerPort").asInt());
        int minutes = startup.path("periodSeconds").asInt()
                * startup.path("failureThreshold").asInt()
                / 60;
        assertTrue(minutes >= 10, () -> "a slow disk has " + minutes + " minutes only");
    }

    @Test
    void theServerListensForThePodsAddressAndIsNotConfiguredByOtherServices() {
        Rendered chart = Chart.render();
        assertEquals("0.0.0.0", chart.environment("QUARKUS_HTTP_HOST"));
        assertEquals("8080", chart.environment("QUARKUS_HTTP_PORT"));
        assertFalse(chart.podSpec().path("enableServiceLinks").asBoolean(true));
    }

    @Test
    void runningAnswersMayEndBeforeThePodIsKilled() {
        Rendered chart = Chart.render("drainSeconds: 30\npreStopSeconds: 4\nterminationGracePeriodSeconds: 49\n");
        assertEquals("30s", chart.environment("LUQ_WORKER_DRAIN_TIME"));
        assertEquals("35s", chart.environment("QUARKUS_SHUTDOWN_TIMEOUT"), "connections close before answers end");
        assertEquals(49, chart.podSpec().path("terminationGracePeriodSeconds").asInt());
        assertThat(
                Chart.refusal("drainSeconds: 30\npreStopSeconds: 5\nterminationGracePeriodSeconds: 49\n"),
                containsString(
                        "terminationGracePeriodSeconds (49) must be at least preStopSeconds + drainSeconds + 15"));
    }

    @Test
    void thePodAnswersWhileEndpointsAreWithdrawn() {
        assertEquals(
                "{\"sleep\":{\"seconds\":5}}",
                Chart.render().container().at("/lifecycle/preStop").toString());
        assertEquals(
                "{\"exec\":{\"command\":[\"/bin/sleep\",\"5\"]}}",
                Chart.renderOn("1.29.0", "")
                        .container()
                        .at("/lifecycle/preStop")
                        .toString());
        assertFalse(Chart.render("preStopSeconds: 0").container().has("lifecycle"));
    }

    @Test
    void keysAreGeneratedWhenNoneAreGiven() {
        Rendered chart = Chart.render();
        JsonNode secret = chart.only("Secret");
        String user = decoded(secret, "user-key");
        String admin = decoded(secret, "admin-key");
        assertThat(user, matchesPattern("luq-[A-Za-z0-9]{40}"));
        assertThat(admin, matchesPattern("luq-[A-Za-z0-9]{40}"));
        assertNotEquals(user, admin);
        assertEquals("user:" + user + "\nadmin:" + admin + "\n", decoded(secret, "api-keys"));
        assertNotEquals(
                user, decoded(Chart.render().only("Secret"), "user-key"), "keys of two installations are equal");
    }

    @Test
    void anUpgradeKeepsGeneratedKeys() {
        Rendered installed = Chart.render();
        Cluster.create(installed.only("Secret"));
        Rendered upgraded = Chart.render();
        assertEquals(installed.only("Secret"), upgraded.only("Secret"));
        assertEquals(checksums(installed), checksums(upgraded));
    }

    @Test
    void aKeyThatIsNoLongerGivenIsNoLongerAccepted() {
        Cluster.create(Chart.render("apiKeys: {user: [user-0123456789abcdef]}").only("Secret"));
        assertFalse(decoded(Chart.render().only("Secret"), "api-keys").contains("user-0123456789abcdef"));
    }

    @Test
    void theConnectionTestIsAHook() throws IOException {
        JsonNode annotations = Chart.render().only("Pod").at("/metadata/annotations");
        assertTrue(annotations.isEmpty(), "rendered without its hook annotations, see Chart");
        String template = Files.readString(Chart.DIRECTORY.resolve("templates/tests/connection.yaml"));
        assertThat(template, containsString("    helm.sh/hook: test\n"));
        assertFalse(template.contains("hook-succeeded"), "helm test --logs would find no pod");
        assertThat(
                Chart.render().only("Pod").at("/spec/containers/0/command/2").asText(),
                containsString("/v1/models without a key"));
    }

    @Test
    void givenKeysAreTheOnlyOnes() {
        JsonNode secret = Chart.render("apiKeys: {user: [user-0123456789abcdef, other-0123456789abcdef]}")
                .only("Secret");
        assertEquals("user:user-0123456789abcdef\nuser:other-0123456789abcdef\n", decoded(secret, "api-keys"));
        assertFalse(secret.path("data").has("admin-key"));
        assertFalse(
                secret.at("/metadata/annotations").has("luq.dev/generated"), "would be kept as if it were generated");
    }

    @ParameterizedTest
    @CsvSource({
        "'', luq-luq-server-api-keys, api-keys",
        "'apiKeys: {existingSecret: mine, existingSecretKey: list}', mine, list"
    })
    void theServerReadsItsKeysFromTheSecret(String values, String secretName, String entry) {
        Rendered chart = Chart.render(values);
        String file = chart.environment("LUQ_API_KEYS_FILE");
        JsonNode secret = chart.volume(file.substring(0, file.lastIndexOf('/'))).path("secret");
        assertEquals(secretName, secret.path("secretName").asText());
        assertEquals(entry, secret.at("/items/0/key").asText());
        assertEquals(
                file.substring(file.lastIndexOf('/') + 1),
                secret.at("/items/0/path").asText());
        assertEquals(values.isEmpty() ? List.of(secretName) : List.of(), names(chart.all("Secret")));
    }

    @Test
    void noKeyIsShownOutsideTheSecret() {
        for (JsonNode object : Chart.renderFull().objects()) {
            if (!object.path("kind").asText().equals("Secret")) {
                assertFalse(object.toString().contains("key-0123456789"), () -> object.path("kind") + " shows a key");
            }
        }
        assertThat(Chart.refusal("config: {luq.api.keys: user-0123456789abcdef}"), containsString("use apiKeys"));
    }

    @Test
    void anonymousUseIsSwitchedOnByNameOnly() {
        Rendered chart = Chart.render("apiKeys: {anonymous: true}");
        assertEquals("true", chart.environment("LUQ_API_ANONYMOUS"));
        assertEquals(List.of(), chart.all("Secret"));
        assertFalse(chart.podSpec().toString().contains("keys"));
        assertFalse(Chart.render().container().toString().contains("ANONYMOUS"));
        assertThat(
                Chart.refusal("apiKeys: {anonymous: true, user: [user-0123456789abcdef]}"),
                containsString("apiKeys.anonymous opens the API to everyone"));
    }

    @Test
    void theClaimIsMountedAndKept() {
        Rendered chart = Chart.render("persistence: {enabled: true, size: 7Gi, storageClass: fast}");
        JsonNode claim = chart.only("PersistentVolumeClaim");
        assertEquals("7Gi", claim.at("/spec/resources/requests/storage").asText());
        assertEquals("fast", claim.at("/spec/storageClassName").asText());
        assertEquals("[\"ReadWriteOnce\"]", claim.at("/spec/accessModes").toString());
        assertEquals(
                "keep",
                claim.path("metadata")
                        .path("annotations")
                        .path("helm.sh/resource-policy")
                        .asText());
        assertEquals(
                claim.at("/metadata/name").asText(),
                chart.volume("/var/lib/luq")
                        .at("/persistentVolumeClaim/claimName")
                        .asText());
    }

    @Test
    void anExistingClaimIsUsedAndNoneCreated() {
        Rendered chart = Chart.render("persistence: {enabled: true, existingClaim: mine}");
        assertEquals(List.of(), chart.all("PersistentVolumeClaim"));
        assertEquals(
                "mine",
                chart.volume("/var/lib/luq")
                        .at("/persistentVolumeClaim/claimName")
                        .asText());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                                                              | Recreate",
                "'replicaCount: 2'                                                               | RollingUpdate",
                "'persistence: {enabled: true}'                                                  | Recreate",
                "'{persistence: {enabled: true, accessModes: [ReadWriteMany]}, replicaCount: 2}' | RollingUpdate",
                "'{persistence: {enabled: true}, strategy: {type: RollingUpdate}}'               | RollingUpdate"
            })
    void aVolumeOfOneNodeAndTheMemoryOfOneModelAreHandedOverByRecreation(String values, String strategy) {
        assertEquals(
                strategy,
                Chart.render(values)
                        .only("Deployment")
                        .at("/spec/strategy/type")
                        .asText());
    }

    /** Server-side apply keeps what the API server filled in, and refuses it beside Recreate. */
    @Test
    void recreationLeavesNothingOfARollingUpdate() {
        JsonNode strategy = Chart.render("{}").only("Deployment").at("/spec/strategy");
        assertTrue(
                strategy.has("rollingUpdate") && strategy.path("rollingUpdate").isNull(), strategy.toString());
        JsonNode rolling = Chart.render("replicaCount: 2").only("Deployment").at("/spec/strategy");
        assertEquals(
                "{\"maxSurge\":1,\"maxUnavailable\":0}",
                rolling.path("rollingUpdate").toString());
    }

    @Test
    void aRolloutMayTakeWhatItsProbeAndItsDownloadsMay() {
        String values =
                """
                probes: {startup: {periodSeconds: 10, failureThreshold: 30}}
                models: [{id: a, model: m.gguf%s}]
                """;
        assertEquals(
                900,
                Chart.render(values.formatted(", source: {claim: {name: models}}"))
                        .only("Deployment")
                        .at("/spec/progressDeadlineSeconds")
                        .asInt());
        String fetched = values.formatted(
                ", source: {files: [{url: 'https://example.org/m.gguf', sha256: " + "0a".repeat(32) + "}]}");
        assertEquals(
                4500,
                Chart.render(fetched)
                        .only("Deployment")
                        .at("/spec/progressDeadlineSeconds")
                        .asInt());
        assertThat(Chart.notes(fetched), containsString("--timeout=4500s"));
    }

    @Test
    void anInitContainerSaysWhatItMay() {
        JsonNode context = Chart.render(
                        "initContainers: [{name: bring, image: x, securityContext: {readOnlyRootFilesystem: false}}]")
                .podSpec()
                .at("/initContainers/0/securityContext");
        assertFalse(context.path("readOnlyRootFilesystem").asBoolean(true));
        assertFalse(context.path("allowPrivilegeEscalation").asBoolean(true));
        assertEquals("[\"ALL\"]", context.at("/capabilities/drop").toString());
    }

    @Test
    void aModelHasSettingsOfItsOwn() {
        String values = "models: [{id: a.b, model: /m.gguf, settings: {%s}}]";
        Properties properties = Chart.render(
                        values.formatted("pooling: mean, keep-alive: 10m, slots: 2, defaults.temperature: 0.7,"
                                + " context-size: 131072, pinned: true, 'defaults.system-prompt': 'a\\b'"))
                .properties();
        assertEquals("mean", properties.get("luq.models.\"a.b\".pooling"));
        assertEquals("10m", properties.get("luq.models.\"a.b\".keep-alive"));
        assertEquals("2", properties.get("luq.models.\"a.b\".slots"));
        assertEquals("0.7", properties.get("luq.models.\"a.b\".defaults.temperature"));
        assertEquals("131072", properties.get("luq.models.\"a.b\".context-size"));
        assertEquals("true", properties.get("luq.models.\"a.b\".pinned"));
        assertEquals("a\\b", properties.get("luq.models.\"a.b\".defaults.system-prompt"));
        assertThat(
                Chart.refusal(values.formatted("model: /other.gguf")), containsString("invalid propertyName 'model'"));
    }

    @Test
    void modelsBecomeServerProperties() {
        Properties properties = Chart.renderFull().properties();
        assertEquals("/var/lib/luq/qwen/qwen2.5-vl-7b-luq.gguf", properties.get("luq.models.\"qwen2.5-vl-7b\".model"));
        assertEquals(
                "/var/lib/luq/qwen/mmproj-qwen2.5-vl-7b.gguf", properties.get("luq.models.\"qwen2.5-vl-7b\".mmproj"));
        assertEquals("vision,gpt-4o", properties.get("luq.models.\"qwen2.5-vl-7b\".aliases"));
        assertEquals("/models/text-00001-of-00002.gguf", properties.get("luq.models.\"text\".model"));
        assertEquals("true", properties.get("luq.models.\"text\".default"));
        assertFalse(properties.containsKey("luq.models.\"qwen2.5-vl-7b\".default"));
        assertEquals("134217728", properties.get("luq.worker.image-cache-bytes"));
        assertEquals("compact", properties.get("luq.models.\"text\".kernels"));
        assertEquals(10, properties.size());
        assertEquals(
                0, Chart.render("persistence: {enabled: true}").properties().size());
    }

    @Test
    void settingsMayBeNumbers() {
        assertEquals("0.5", Chart.render("config: {luq.a: 0.5}").properties().get("luq.a"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'{}'                                                            | 536870912  | 268435456",
                "'scratch: {dataSizeLimit: 1Gi}'                                 | 134217728  | 67108864",
                "'scratch: {dataSizeLimit: 100Gi}'                               | 2147483648 | 536870912",
                "'config: {luq.worker.prompt-files-bytes: 0}'                    | 0          | 268435456",
                "'persistence: {enabled: true, readOnly: true, existingClaim: a}' | 536870912  | 268435456",
                "'persistence: {enabled: true}'                                  |            |"
            })
    void whatTheServerKeepsFitsIntoAnEmptyDirBesideWhatIsFetched(String values, String prompts, String images) {
        Properties properties = Chart.render(values).properties();
        assertEquals(prompts, properties.get("luq.worker.prompt-files-bytes"));
        assertEquals(images, properties.get("luq.worker.image-files-bytes"));
    }

    /** StrictObjects refuse a number where a text belongs. */
    @Test
    void namesOfDigitsStayTexts() {
        Rendered chart = Chart.render(
                """
                fullnameOverride: luq
                models:
                  - {id: a, model: m.gguf, source: {claim: {name: "1", subPath: "2"}}}
                  - id: b
                    model: m.gguf
                    source:
                      files: [{url: "https://example.org/m.gguf", sha256: "%s"}]
                      headerSecret: {name: "3", key: "4"}
                sets: [{name: calibration, configMap: "5"}, {name: evaluation, claim: "6", subPath: "7"}]
                persistence: {enabled: true, existingClaim: "8", subPath: "9", accessModes: [ReadWriteMany]}
                requantization: {enabled: true, model: b, keySecret: {name: "10", key: "11"}, priorityClassName: "12"}
                apiKeys: {existingSecret: "13", existingSecretKey: "14"}
                metrics: {keySecret: {name: "15", key: "16"}}
                podMonitor: {enabled: true}
                prometheusRule: {enabled: true}
                networkPolicy: {enabled: true, from: [{podSelector: {}}]}
                ingress: {enabled: true, className: "17", hosts: [{host: "18"}]}
                gateway: {enabled: true, className: "19"}
                serviceAccount: {name: "20"}
                priorityClassName: "21"
                schedulerName: "22"
                runtimeClassName: "23"
                """
                        .formatted("0a".repeat(32)));
        assertEquals("2", chart.mount("/models/a").path("subPath").asText());
        Rendered words = Chart.render("{nameOverride: 'on', fullnameOverride: 'true'}");
        assertEquals("true", words.only("Deployment").at("/metadata/name").textValue());
        assertEquals(
                "on",
                words.podTemplate()
                        .at("/metadata/labels")
                        .path("app.kubernetes.io/name")
                        .textValue());
        assertEquals(
                "7",
                Chart.render("7", "fullnameOverride: luq")
                        .podTemplate()
                        .at("/metadata/labels")
                        .path("app.kubernetes.io/instance")
                        .asText());
        assertEquals(
                "8",
                Chart.render("persistence: {enabled: true, volumeName: '8'}")
                        .only("PersistentVolumeClaim")
                        .at("/spec/volumeName")
                        .asText());
    }

    @Test
    void anIngressMayTakeEveryHost() {
        JsonNode rule = Chart.render("ingress: {enabled: true, hosts: [{host: ''}]}")
                .only("Ingress")
                .at("/spec/rules/0");
        assertFalse(rule.has("host"));
        assertEquals("/", rule.at("/http/paths/0/path").asText());
    }

    @Test
    void theServerReadsThoseProperties() {
        Rendered chart = Chart.render();
        String file = chart.environment("QUARKUS_CONFIG_LOCATIONS");
        JsonNode map = chart.volume(file.substring(0, file.lastIndexOf('/'))).path("configMap");
        assertEquals(
                chart.only("ConfigMap").at("/metadata/name").asText(),
                map.path("name").asText());
        assertTrue(chart.only("ConfigMap").path("data").has(file.substring(file.lastIndexOf('/') + 1)));
    }

    @Test
    void aChangeOfConfigurationRestartsThePods() {
        assertNotEquals(checksums(Chart.render()), checksums(Chart.render("config: {luq.worker.slots: 2}")));
        assertEquals(
                checksums(Chart.render()), checksums(Chart.render()), "an upgrade without a change restarts the pods");
    }

    /** The server reads the file again when the kubelet has changed it; and who may read pods shall learn nothing of keys. */
    @Test
    void aChangeOfKeysDoesNot() {
        assertEquals(
                Chart.render("apiKeys: {user: [user-0123456789abcdef]}").podTemplate(),
                Chart.render("apiKeys: {user: [user-fedcba9876543210]}").podTemplate());
    }

    @Test
    void selectorsFindTheServersPodsAndOnlyThem() {
        Rendered chart = Chart.renderFull();
        JsonNode server = chart.only("Deployment").at("/spec/template/metadata/labels");
        JsonNode test = chart.only("Pod").at("/metadata/labels");
        for (JsonNode selector : List.of(
                chart.only("Deployment").at("/spec/selector/matchLabels"),
                chart.only("Service").at("/spec/selector"),
                chart.only("PodDisruptionBudget").at("/spec/selector/matchLabels"),
                policy(chart, "luq-luq-server").at("/podSelector/matchLabels"),
                chart.podSpec().at("/topologySpreadConstraints/0/labelSelector/matchLabels"))) {
            assertTrue(selects(selector, server), () -> selector + " misses " + server);
            assertFalse(selects(selector, test), () -> selector + " takes the test pod in");
            assertEquals(3, selector.size(), "a selector is immutable: no version in it");
        }
        assertTrue(selects(
                chart.only("ServiceMonitor").at("/spec/selector/matchLabels"),
                chart.only("Service").at("/metadata/labels")));
        assertEquals("edge", server.path("tier").asText());
    }

    @Test
    void trafficReachesTheContainersPort() {
        Rendered chart = Chart.renderFull();
        JsonNode port = chart.only("Service").at("/spec/ports/0");
        assertEquals(80, port.path("port").asInt());
        assertEquals(
                chart.container().at("/ports/0/name").asText(),
                port.path("targetPort").asText());
        JsonNode rule = chart.only("Ingress").at("/spec/rules/0");
        assertEquals("luq.example.org", rule.path("host").asText());
        assertEquals(2, rule.at("/http/paths").size());
        for (JsonNode path : rule.at("/http/paths")) {
            assertEquals(
                    chart.only("Service").at("/metadata/name").asText(),
                    path.at("/backend/service/name").asText());
            assertEquals(
                    port.path("name").asText(),
                    path.at("/backend/service/port/name").asText());
        }
        assertEquals(
                port.path("name").asText(),
                chart.only("ServiceMonitor").at("/spec/endpoints/0/port").asText());
    }

    @Test
    void prometheusSendsAKeyOfTheLowestRole() {
        Rendered chart = Chart.renderFull();
        JsonNode credentials = chart.only("ServiceMonitor").at("/spec/endpoints/0/authorization/credentials");
        assertEquals(
                chart.only("Secret").at("/metadata/name").asText(),
                credentials.path("name").asText());
        assertEquals(
                "user-key-0123456789abcdef",
                decoded(chart.only("Secret"), credentials.path("key").asText()));
        String existing = "{serviceMonitor: {enabled: true}, apiKeys: {existingSecret: mine}, metrics: %s}";
        assertThat(Chart.refusal(existing.formatted("{}")), containsString("metrics.keySecret, or set metrics.open"));
        assertEquals(
                "{\"name\":\"bare\",\"key\":\"key\"}",
                Chart.render(existing.formatted("{keySecret: {name: bare, key: key}}"))
                        .only("ServiceMonitor")
                        .at("/spec/endpoints/0/authorization/credentials")
                        .toString());
        Rendered open = Chart.render(existing.formatted("{open: true}"));
        assertEquals("true", open.environment("LUQ_API_OPEN_METRICS"));
        assertFalse(open.only("ServiceMonitor").at("/spec/endpoints/0").has("authorization"));
    }

    @Test
    void theNetworkPolicyClosesWhatIsNotAllowed() {
        JsonNode closed = policy(Chart.render("networkPolicy: {enabled: true}"), "luq-luq-server");
        assertEquals("[\"Ingress\",\"Egress\"]", closed.path("policyTypes").toString());
        assertEquals("[]", closed.path("egress").toString());
        assertEquals("[{\"podSelector\":{}}]", closed.at("/ingress/0/from").toString());
        JsonNode nobody = policy(
                Chart.render(
                        "{networkPolicy: {enabled: true, ingressController: [], prometheus: []}, podMonitor: {enabled:"
                                + " true}, ingress: {enabled: true, hosts: [{host: a.b}]}}"),
                "luq-luq-server");
        assertEquals(closed.path("ingress"), nobody.path("ingress"));
    }

    @Test
    void whereThePodMayConnectItMayAskForNames() {
        JsonNode egress = policy(
                        Chart.render("networkPolicy: {enabled: true, egress: [{ports: [{port: 443}]}]}"),
                        "luq-luq-server")
                .path("egress");
        assertEquals(2, egress.size());
        assertEquals(
                List.of(53, 53, 5353, 5353),
                stream(egress.at("/0/ports"))
                        .map(port -> port.path("port").asInt())
                        .toList());
        assertEquals(443, egress.at("/1/ports/0/port").asInt());
    }

    @Test
    void theNetworkPolicyOpensWhatTheChartItselfConnects() {
        Rendered chart = Chart.renderFull();
        List<String> namespaces = new ArrayList<>();
        List<JsonNode> pods = new ArrayList<>();
        for (JsonNode peer : policy(chart, "luq-luq-server").at("/ingress/0/from")) {
            if (peer.has("namespaceSelector")) {
                namespaces.add(peer.at("/namespaceSelector/matchLabels")
                        .path("kubernetes.io/metadata.name")
                        .asText());
            } else {
                pods.add(peer.at("/podSelector/matchLabels"));
            }
        }
        assertEquals(List.of("clients", "ingress-nginx", "monitoring"), namespaces);
        JsonNode test = chart.only("Pod").at("/metadata/labels");
        assertTrue(pods.stream().anyMatch(selector -> selects(selector, test)), "the test pod is shut out");
        JsonNode ofClients = policy(chart, "luq-luq-server-clients");
        assertTrue(selects(ofClients.at("/podSelector/matchLabels"), test));
        assertTrue(selects(
                ofClients.at("/egress/1/to/0/podSelector/matchLabels"),
                chart.podTemplate().at("/metadata/labels")));
    }

    @Test
    void schedulingAndExtrasArePassedOn() {
        JsonNode pod = Chart.renderFull().podSpec();
        assertEquals(
                "amd64", pod.path("nodeSelector").path("kubernetes.io/arch").asText());
        assertEquals("edge", pod.at("/tolerations/0/key").asText());
        assertTrue(pod.path("affinity").has("nodeAffinity"));
        assertEquals("system-node-critical", pod.path("priorityClassName").asText());
        assertEquals("packing", pod.path("schedulerName").asText());
        assertEquals("kata", pod.path("runtimeClassName").asText());
        assertEquals("pull", pod.at("/imagePullSecrets/0/name").asText());
        assertEquals("fetch", pod.at("/initContainers/0/name").asText());
        assertEquals(
                "[\"ALL\"]",
                pod.at("/initContainers/0/securityContext/capabilities/drop").toString());
        assertEquals("proxy", pod.at("/containers/1/name").asText());
        assertEquals(10002, pod.at("/containers/1/securityContext/runAsUser").asInt());
        assertTrue(
                pod.at("/containers/1/securityContext/readOnlyRootFilesystem").asBoolean());
        assertEquals("[\"-Dluq.worker.slots=2\"]", pod.at("/containers/0/args").toString());
        assertEquals("more", pod.at("/containers/0/envFrom/0/configMapRef/name").asText());
        assertEquals("8Gi", pod.at("/containers/0/resources/limits/memory").asText());
        assertEquals("4", Chart.renderFull().environment("LUQ_WORKER_THREADS"));
        assertEquals(
                "luq-extra",
                Chart.renderFull().all("ConfigMap").stream()
                        .map(map -> map.at("/metadata/name").asText())
                        .filter(name -> name.endsWith("-extra"))
                        .findFirst()
                        .orElseThrow());
        assertEquals("emptyDir", volumeOf(Chart.renderFull(), "/models"));
        assertEquals(
                "example.org/luq/luq-server:0.1.0",
                pod.at("/containers/0/image").asText());
    }

    @Test
    void everyObjectHasTheCommonLabelsAndNoSelectorDoes() {
        Rendered chart = Chart.renderFull();
        for (JsonNode object : chart.objects()) {
            if (!object.at("/metadata/name").asText().equals("luq-extra")) {
                assertEquals("vision", object.at("/metadata/labels/team").asText(), () -> object.toString());
            }
        }
        assertEquals("vision", chart.podTemplate().at("/metadata/labels/team").asText());
        assertFalse(chart.only("Deployment").at("/spec/selector").toString().contains("vision"));
    }

    /** By the container's limit alone the server would keep 256 MiB, more than the headroom: a model would not load again. */
    @Test
    void theServerGivesItsModelsWhatTheLimitIsMadeOf() {
        String models = "models: [{id: a, model: /a.gguf, memory: 5.5Gi}, {id: b, model: /b.gguf, memory: 512Mi}]\n";
        assertEquals(Long.toString(6144L << 20), Chart.render(models).environment("LUQ_WORKER_MEMORY_LIMIT_BYTES"));
        assertEquals(Long.toString(400L << 20), Chart.render("{}").environment("LUQ_WORKER_MEMORY_LIMIT_BYTES"));
        for (String given : List.of(
                "resources: {limits: {memory: 9Gi}}",
                "config: {luq.worker.memory-limit-bytes: 1073741824}",
                "models: [{id: a, model: /a.gguf}]")) {
            String values = given.startsWith("models") ? given : models + given;
            assertFalse(Chart.render(values).hasEnvironment("LUQ_WORKER_MEMORY_LIMIT_BYTES"), given);
        }
        assertEquals(
                "7",
                Chart.render(models + "extraEnv: [{name: LUQ_WORKER_MEMORY_LIMIT_BYTES, value: '7'}]")
                        .environment("LUQ_WORKER_MEMORY_LIMIT_BYTES"));
    }

    @Test
    void memoryFollowsTheEstimatesOfTheModels() {
        String models = "models: [{id: a, model: /a.gguf, memory: 5.5Gi}, {id: b, model: /b.gguf%s}]\n";
        JsonNode both =
                Chart.render(models.formatted(", memory: 512Mi")).container().path("resources");
        // Of 6176 MiB; the heap has 128 of them as long as the limit has 2 GiB, and a sixteenth of it then.
        assertEquals("6452Mi", both.at("/requests/memory").asText());
        assertEquals("6452Mi", both.at("/limits/memory").asText());
        assertTrue(6452 / 16 - 128 <= 6452 - 6176);
        JsonNode pictures = Chart.render(models.formatted(", memory: 512Mi, mmproj: /m.gguf"))
                .container()
                .path("resources");
        assertEquals("6691Mi", pictures.at("/limits/memory").asText());
        JsonNode one = Chart.render(models.formatted("")).container().path("resources");
        assertEquals("1Gi", one.at("/requests/memory").asText());
        assertFalse(one.path("limits").has("memory"), "a limit that nobody knows kills");
        JsonNode given = Chart.render(models.formatted(", memory: 512Mi") + "resources: {limits: {memory: 9Gi}}")
                .container()
                .path("resources");
        assertEquals("9Gi", given.at("/limits/memory").asText());
        assertFalse(given.path("requests").has("memory"), "a request above the limit is refused by the cluster");
        JsonNode bytes = Chart.render(models.formatted(", memory: 536870912"))
                .container()
                .path("resources");
        assertEquals("6452Mi", bytes.at("/limits/memory").asText());
        assertEquals("2016Mi", limitOf("1984Mi"));
        assertEquals(Integer.toString(64 * 1024 + 32 + 896) + "Mi", limitOf("64Gi"), "the largest heap is 1 GiB");
    }

    private static String limitOf(String memory) {
        return Chart.render("models: [{id: a, model: /a.gguf, memory: %s}]".formatted(memory))
                .container()
                .at("/resources/limits/memory")
                .asText();
    }

    @ParameterizedTest
    @ValueSource(strings = {"resources: null", "resources: {limits: {memory: null}}", "resources: {requests: null}"})
    void whatIsNullIsNotGiven(String values) {
        JsonNode resources = Chart.render(values).container().path("resources");
        assertEquals("656Mi", resources.at("/limits/memory").asText());
        assertEquals(
                "6400Mi", resources.path("limits").path("ephemeral-storage").asText());
        assertThat(Chart.notes(values), not(containsString("no memory limit")));
    }

    @Test
    void scratchSpaceHoldsWhatTheVolumesMayHold() {
        assertEquals("6400Mi", scratch("scratch: {sizeLimit: 1Gi, dataSizeLimit: 4Gi}"));
        assertEquals("2304Mi", scratch("{scratch: {sizeLimit: 1Gi}, persistence: {enabled: true}}"));
        assertEquals("9Gi", scratch("resources: {limits: {ephemeral-storage: 9Gi}}"));
        String extra = "{persistence: {enabled: true}, extraVolumes: [{name: a, emptyDir: %s}]}";
        assertEquals("5376Mi", scratch(extra.formatted("{sizeLimit: 3Gi}")));
        assertEquals("2304Mi", scratch(extra.formatted("{medium: Memory}")));
        assertEquals("", scratch(extra.formatted("{}")), "what has no limit outgrows any");
        assertEquals("2560Mi", scratch("{persistence: {enabled: true}, extraContainers: [{name: a, image: b}]}"));
    }

    /** The kubelet holds a pod to the sum of its containers' limits, or to the largest of those before them. */
    @Test
    void whatBringsModelsDoesNotLimitThePod() {
        String values =
                """
                models:
                  - id: a
                    model: m.gguf
                    source: {files: [{url: "https://example.org/m.gguf", sha256: "%s"}]}
                sets: [{name: asked, configMap: asked}]
                resources: {requests: {ephemeral-storage: 10Gi}, limits: {%s}}
                persistence: {enabled: true}
                requantization: {enabled: true, model: a, resources: {limits: {ephemeral-storage: null}}}
                """;
        Rendered without = Chart.render(values.formatted("0a".repeat(32), ""));
        Rendered with = Chart.render(values.formatted("0a".repeat(32), "ephemeral-storage: 20Gi"));
        assertEquals(List.of("", ""), scratchOfInitContainers(without.podSpec()));
        assertEquals(List.of("64Mi", "64Mi"), scratchOfInitContainers(with.podSpec()));
        assertEquals(List.of("", ""), scratchOfInitContainers(with.only("Job").at("/spec/template/spec")));
    }

    @Test
    void whatCopiesAndAsksHasWhatANamespaceWants() {
        Rendered chart = Chart.render(
                """
                models: [{id: a, model: m.gguf, source: {files: [{url: "https://example.org/m.gguf", sha256: "%s"}]}}]
                sets: [{name: asked, configMap: asked}]
                smallResources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 128Mi}}
                """
                        .formatted("0a".repeat(32)));
        List<JsonNode> small = new ArrayList<>();
        chart.podSpec().path("initContainers").forEach(small::add);
        chart.only("Pod").at("/spec/containers").forEach(small::add);
        assertEquals(3, small.size());
        for (JsonNode container : small) {
            assertEquals("50m", container.at("/resources/requests/cpu").asText());
            assertEquals("128Mi", container.at("/resources/requests/memory").asText());
            assertEquals("128Mi", container.at("/resources/limits/memory").asText());
        }
    }

    private static List<String> scratchOfInitContainers(JsonNode pod) {
        return stream(pod.path("initContainers"))
                .map(container -> container
                        .at("/resources/limits")
                        .path("ephemeral-storage")
                        .asText())
                .toList();
    }

    @Test
    void theServerListensForBothFamiliesOfAddresses() {
        Rendered chart = Chart.render("service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4]}");
        assertEquals("::", chart.environment("QUARKUS_HTTP_HOST"));
        JsonNode service = chart.only("Service").path("spec");
        assertEquals("PreferDualStack", service.path("ipFamilyPolicy").asText());
        assertEquals("[\"IPv6\",\"IPv4\"]", service.path("ipFamilies").toString());
        assertEquals("::", Chart.render("service: {ipFamilies: [IPv6]}").environment("QUARKUS_HTTP_HOST"));
    }

    /** The address of both cannot be bound where IPv6 is switched off. */
    @ParameterizedTest
    @ValueSource(strings = {"ipFamilies: [IPv4]", "ipFamilyPolicy: SingleStack"})
    void aServiceOfIPv4NeedsNoIPv6(String service) {
        assertEquals("0.0.0.0", Chart.render("service: {" + service + "}").environment("QUARKUS_HTTP_HOST"));
    }

    @Test
    void aClaimThatNobodyWritesLeavesTheServerAVolumeOfItsOwn() {
        Rendered chart = Chart.render("{replicaCount: 3, persistence: {enabled: true, existingClaim: models,"
                + " accessModes: [ReadOnlyMany], subPath: vision}, models: [{id: a, model: a.gguf}]}");
        assertEquals("/var/lib/luq/a.gguf", chart.properties().get("luq.models.\"a\".model"));
        assertTrue(chart.mount("/var/lib/luq").path("readOnly").asBoolean());
        assertEquals("vision", chart.mount("/var/lib/luq").path("subPath").asText());
        assertTrue(chart.volume("/var/lib/luq")
                .at("/persistentVolumeClaim/readOnly")
                .asBoolean());
        assertEquals("emptyDir", volumeOf(chart, chart.environment("LUQ_DATA_DIR")));
    }

    @Test
    void theSetsOfTheDemoModelAreThereWhereItIsServed() {
        assertEquals("/opt/luq/models/demo", Chart.render().environment("LUQ_SETS_ROOT"));
        assertEquals("/var/lib/luq/sets", Chart.renderFull().environment("LUQ_SETS_ROOT"));
    }

    @Test
    void aDigestTakesThePlaceOfTheTag() {
        String digest = "sha256:" + "0".repeat(64);
        assertEquals(
                "luq@" + digest,
                Chart.render("image: {repository: luq, tag: '1', digest: '" + digest + "'}")
                        .container()
                        .path("image")
                        .asText());
    }

    @Test
    void namesThatAreCutStayApart() {
        List<String> names = new ArrayList<>();
        for (String end : List.of("a", "b")) {
            Rendered chart = Chart.render("r".repeat(52) + end, "kind: StatefulSet");
            names.add(chart.only("StatefulSet").at("/metadata/name").asText());
        }
        assertThat(names.get(0), matchesPattern("r{34}-[0-9a-f]{6}"));
        assertNotEquals(names.get(0), names.get(1));
    }

    @Test
    void namesFitInto63Characters() {
        String longest = "r".repeat(53);
        Rendered chart = Chart.render(longest, "nameOverride: " + "n".repeat(60) + "\npersistence: {enabled: true}\n");
        for (JsonNode object : chart.objects()) {
            String name = object.at("/metadata/name").asText();
            assertThat(name, matchesPattern("[a-z]([a-z0-9-]{0,61}[a-z0-9])?"));
            object.at("/metadata/labels")
                    .forEach(label -> assertTrue(label.asText().length() <= 63, label::asText));
        }
        assertEquals(
                chart.objects().size(),
                chart.objects().stream()
                        .map(object -> object.path("kind").asText()
                                + object.at("/metadata/name").asText())
                        .distinct()
                        .count());
        assertTrue(names(chart.all("Secret")).get(0).endsWith("-api-keys"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "replicas: 2                                     | replicas",
                "image: {repo: x}                                | repo",
                "replicaCount: two                               | replicaCount",
                "apiKeys: {user: [short]}                        | user",
                "apiKeys: {user: [\"with a space 0123456789\"]}  | user",
                "models: [{id: a}]                               | model",
                "models: [{id: 'a b', model: /m.gguf}]           | id",
                "models: [{id: a, model: ../../etc/m.gguf}]      | model",
                "persistence: {accessModes: [ReadSomehow]}       | accessModes",
                "commonLabels: {app.kubernetes.io/name: other}   | app.kubernetes.io/name",
                "podLabels: {app.kubernetes.io/instance: other}  | app.kubernetes.io/instance",
                "models: [{id: a, model: /m.gguf, memory: much}] | memory",
                "service: {port: 70000}                          | port",
                "ingress: {enabled: true}                        | hosts",
                "config: {luq.a: [1]}                            | luq.a",
                "probes: {liveness: {successThreshold: 2}}       | successThreshold",
                "fullnameOverride: this-is-a-name-that-has-42-characters-then | fullnameOverride"
            })
    void theSchemaRefusesWithTheNameOfTheValue(String values, String named) {
        String message = Chart.refusal(values);
        assertThat(message, containsString("values don't meet the specifications of the schema"));
        assertThat(message, containsString(named));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "models: [{id: a, model: m.gguf}]                                  | persistence.enabled is false",
                "models: [{id: a, model: /m.gguf}, {id: a, model: /n.gguf}]        | the id \"a\" is given twice",
                "defaultModel: other | defaultModel \"other\" is not the id",
                "{replicaCount: 2, persistence: {enabled: true}}                   | ReadWriteMany",
                "apiKeys: {existingSecret: mine, admin: [admin-0123456789abcdef]}  | give one or the other",
                "config: {luq.models.a.model: /m.gguf}                             | set by the chart; use models",
                "config: {luq.worker.drain-time: 5m}                               | use drainSeconds",
                "config: {'%prod.quarkus.http.port': 80}                           | use service.port",
                "config: {'luq.api.\"keys\"': user-0123456789abcdef}               | use apiKeys",
                "extraEnv: [{name: QUARKUS_SHUTDOWN_TIMEOUT, value: 1s}]           | use drainSeconds",
                "extraEnv: [{name: luq.api.anonymous, value: 'true'}]              | use apiKeys.anonymous",
                "extraEnv: [{name: _PROD_LUQ_DATA_DIR, value: /tmp}]               | use persistence",
                "extraEnv: [{name: JAVA_TOOL_OPTIONS, value: -Dluq.model=/m.gguf}] | use models",
                "args: [-Dquarkus.http.host=127.0.0.1]                             | use service.ipFamilies",
                "extraVolumes: [{name: tmp, emptyDir: {}}]                         | choose another name",
                "persistence: {enabled: true, accessModes: [ReadOnlyMany]}         | persistence.existingClaim",
                "{replicaCount: 2, persistence: {enabled: true, accessModes: [ReadWriteOnce, ReadOnlyMany]}} | ReadWriteMany",
                "service: {nodePort: 30080}                                        | service.type to NodePort",
                "service: {loadBalancerClass: a}                                   | service.type LoadBalancer"
            })
    void contradictionsAreRefusedWithWhatToDo(String values, String message) {
        assertThat(Chart.refusal(values), containsString(message));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "global: {region: eu}",
                "persistence: {enabled: true}\nreplicaCount: 0",
                "podDisruptionBudget: {enabled: true, maxUnavailable: 0}",
                "probes: {liveness: null}",
                "strategy: null",
                "affinity: null\npersistence: {enabled: true}\nrequantization: {enabled: true}",
                "{replicaCount: 2, persistence: {enabled: true, existingClaim: a, readOnly: true, accessModes:"
                        + " [ReadWriteOnce, ReadOnlyMany]}}"
            })
    void harmlessValuesAreAccepted(String values) {
        assertEquals(1, Chart.render(values).all("Deployment").size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "apiKeys: {} | get secret luq-luq-server-api-keys -o jsonpath='{.data.user-key}'",
                "apiKeys: {admin: [admin-0123456789abcdef]}                 | -o jsonpath='{.data.admin-key}'",
                "apiKeys: {existingSecret: mine}                            | those of secret mine, entry api-keys",
                "apiKeys: {anonymous: true}                                 | WARNING: apiKeys.anonymous is true",
                "models: [{id: b, model: /b.gguf}, {id: a, model: /a.gguf}] | {\"model\":\"a\",",
                "service: {port: 80} | port-forward service/luq-luq-server 8080:80",
                "models: [{id: a, model: /a.gguf}]                          | because models[].memory is not given",
                "resources: {requests: {memory: 2Gi}}                       | because resources gives a request without",
                "{networkPolicy: {enabled: true}, httpRoute: {enabled: true, parentRefs: [{name: a}]}} | networkPolicy.ingressController"
            })
    void theNotesSayHowToAsk(String values, String line) {
        String notes = Chart.notes(values);
        assertThat(notes, containsString(line));
        assertEquals(!values.contains("anonymous"), notes.contains("Authorization: Bearer $LUQ_KEY"));
    }

    private static Set<String> kinds(Rendered chart) {
        return chart.objects().stream()
                .map(object -> object.path("kind").asText())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static JsonNode policy(Rendered chart, String name) {
        return chart.all("NetworkPolicy").stream()
                .filter(policy -> policy.at("/metadata/name").asText().equals(name))
                .findFirst()
                .orElseThrow()
                .path("spec");
    }

    private static List<JsonNode> pods(Rendered chart) {
        return List.of(chart.podSpec(), chart.only("Pod").path("spec"));
    }

    private static List<JsonNode> containers(JsonNode pod) {
        List<JsonNode> containers = new ArrayList<>();
        pod.path("initContainers").forEach(containers::add);
        pod.path("containers").forEach(containers::add);
        return containers;
    }

    private static List<String> names(List<JsonNode> objects) {
        return objects.stream()
                .map(object -> object.at("/metadata/name").asText())
                .toList();
    }

    private static String volumeOf(Rendered chart, String mountPath) {
        Set<String> fields = new TreeSet<>();
        chart.volume(mountPath).fieldNames().forEachRemaining(fields::add);
        fields.remove("name");
        return String.join(",", fields);
    }

    private static String decoded(JsonNode secret, String entry) {
        return new String(
                Base64.getDecoder().decode(secret.path("data").path(entry).asText()), StandardCharsets.UTF_8);
    }

    private static String scratch(String values) {
        return Chart.render(values)
                .container()
                .at("/resources/limits")
                .path("ephemeral-storage")
                .asText();
    }

    private static String checksums(Rendered chart) {
        return chart.only("Deployment")
                .at("/spec/template/metadata/annotations")
                .toString();
    }
}
