package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How many pods there are, what runs them and how requests come to them. */
@Integration
class ChartScalingTest {

    @Test
    void replicasOfAStatefulSetHaveClaimsOfTheirOwn() {
        Rendered chart = Chart.render("{kind: StatefulSet, replicaCount: 3, persistence: {enabled: true, size: 7Gi}}");
        JsonNode set = chart.only("StatefulSet").path("spec");
        assertEquals(3, set.path("replicas").asInt());
        assertEquals("Parallel", set.path("podManagementPolicy").asText());
        assertEquals(
                "7Gi",
                set.at("/volumeClaimTemplates/0/spec/resources/requests/storage")
                        .asText());
        assertEquals("data", set.at("/volumeClaimTemplates/0/metadata/name").asText());
        assertEquals("data", chart.mount("/var/lib/luq").path("name").asText());
        assertFalse(chart.podSpec().path("volumes").toString().contains("\"data\""), "twice");
        assertTrue(chart.all("PersistentVolumeClaim").isEmpty());
        assertTrue(chart.all("Service").stream()
                .anyMatch(service -> service.at("/metadata/name").equals(set.path("serviceName"))
                        && service.at("/spec/clusterIP").asText().equals("None")));
    }

    @Test
    void aDaemonSetHasAPodOnEachNode() {
        Rendered chart = Chart.render("{kind: DaemonSet, strategy: {type: OnDelete}}");
        JsonNode set = chart.only("DaemonSet").path("spec");
        assertFalse(set.has("replicas"));
        assertEquals("OnDelete", set.at("/updateStrategy/type").asText());
    }

    @Test
    void replicasStayAwayFromEachOther() {
        JsonNode term = Chart.render()
                .podSpec()
                .at("/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm");
        assertEquals("kubernetes.io/hostname", term.path("topologyKey").asText());
        assertTrue(Chart.selects(
                term.at("/labelSelector/matchLabels"),
                Chart.render().podTemplate().at("/metadata/labels")));
    }

    @Test
    void theAutoscalerFollowsTheQueue() {
        Rendered chart = Chart.render("autoscaling: {enabled: true, maxReplicas: 9, requestsWaiting: 3,"
                + " targetCPUUtilizationPercentage: 80}");
        assertFalse(chart.only("Deployment").path("spec").has("replicas"), "two would set them");
        assertEquals(
                "RollingUpdate",
                chart.only("Deployment").at("/spec/strategy/type").asText());
        JsonNode scaler = chart.only("HorizontalPodAutoscaler").path("spec");
        assertEquals(chart.only("Deployment").at("/metadata/name"), scaler.at("/scaleTargetRef/name"));
        assertEquals(9, scaler.path("maxReplicas").asInt());
        assertEquals(
                "luq_requests_waiting", scaler.at("/metrics/0/pods/metric/name").asText());
        assertEquals("3", scaler.at("/metrics/0/pods/target/averageValue").asText());
        assertEquals(
                80, scaler.at("/metrics/1/resource/target/averageUtilization").asInt());
        assertTrue(scaler.at("/behavior/scaleDown/stabilizationWindowSeconds").asInt() >= 300);
    }

    @Test
    void kedaAsksPrometheusForTheQueue() {
        Rendered chart = Chart.render(
                """
                kind: StatefulSet
                autoscaling:
                  enabled: true
                  provider: keda
                  minReplicas: 0
                  keda:
                    authenticationRef: prometheus
                    authModes: bearer
                    fallback: {failureThreshold: 3, replicas: 2}
                    triggers:
                      - type: cron
                        metadata: {timezone: UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "1"}
                """);
        JsonNode scaled = chart.only("ScaledObject").path("spec");
        assertEquals("StatefulSet", scaled.at("/scaleTargetRef/kind").asText());
        assertEquals(0, scaled.path("minReplicaCount").asInt(-1));
        assertEquals(
                "sum(luq_requests_waiting{namespace=\"edge\",pod=~\"luq-luq-server-[0-9]+\"})",
                scaled.at("/triggers/0/metadata/query").asText());
        assertEquals("2", scaled.at("/triggers/0/metadata/threshold").asText());
        assertEquals(
                "prometheus", scaled.at("/triggers/0/authenticationRef/name").asText());
        assertEquals("bearer", scaled.at("/triggers/0/metadata/authModes").asText());
        assertEquals("cron", scaled.at("/triggers/1/type").asText());
        assertEquals(2, scaled.at("/fallback/replicas").asInt());
        assertTrue(chart.all("HorizontalPodAutoscaler").isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gateway: {enabled: true, className: of-the-cluster}", ""})
    void routesOfTheGatewayApiCutNoStream(String gateway) {
        Rendered chart = Chart.render(gateway + "\nhttpRoute: {enabled: true, hostnames: [luq.example.org]"
                + (gateway.isEmpty() ? ", parentRefs: [{name: other, namespace: gateways}]}" : "}"));
        JsonNode route = chart.only("HTTPRoute").path("spec");
        assertEquals(
                gateway.isEmpty()
                        ? "other"
                        : chart.only("Gateway").at("/metadata/name").asText(),
                route.at("/parentRefs/0/name").asText());
        assertEquals("luq.example.org", route.at("/hostnames/0").asText());
        assertEquals("0s", route.at("/rules/0/timeouts/request").asText());
        assertEquals(chart.only("Service").at("/metadata/name"), route.at("/rules/0/backendRefs/0/name"));
        assertEquals(chart.only("Service").at("/spec/ports/0/port"), route.at("/rules/0/backendRefs/0/port"));
    }

    @Test
    void anInferencePoolTakesThePlaceOfTheService() {
        Rendered chart = Chart.renderFile(Chart.DIRECTORY.resolve("examples").resolve("inference-pool.yaml"));
        JsonNode pool = chart.only("InferencePool");
        JsonNode backend = chart.only("HTTPRoute").at("/spec/rules/0/backendRefs/0");
        assertEquals("inference.networking.k8s.io", backend.path("group").asText());
        assertEquals(pool.at("/metadata/name"), backend.path("name"));
        assertTrue(Chart.selects(
                pool.at("/spec/selector/matchLabels"), chart.podTemplate().at("/metadata/labels")));
        assertEquals(chart.container().at("/ports/0/containerPort"), pool.at("/spec/targetPorts/0/number"));
        assertEquals("true", chart.environment("LUQ_API_OPEN_METRICS"), "the endpoint picker has no key");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{kind: StatefulSet, strategy: {rollingUpdate: {maxSurge: 1}}}                    | maxSurge",
                "{kind: StatefulSet, strategy: {type: Recreate}}                                  | OnDelete",
                "strategy: {type: OnDelete}                                                       | Recreate",
                "{kind: DaemonSet, autoscaling: {enabled: true}}                                  | kind: Deployment",
                "{kind: DaemonSet, persistence: {enabled: true}}                                  | ReadWriteMany",
                "{autoscaling: {enabled: true}, persistence: {enabled: true}}                     | ReadWriteMany",
                "autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 2}                     | maxReplicas (2)",
                "autoscaling: {enabled: true, minReplicas: 0}                                     | provider: keda",
                "autoscaling: {enabled: true, provider: keda, minReplicas: 0}                     | keda.triggers",
                "{kind: StatefulSet, replicaCount: 3, persistence: {enabled: true, volumeName: a}} | volumeName",
                "httpRoute: {enabled: true}                                                       | parentRefs",
                "gateway: {enabled: true}                                                         | className"
            })
    void whatCannotRunIsRefused(String values, String message) {
        assertThat(Chart.refusal(values), containsString(message));
    }
}
