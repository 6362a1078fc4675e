package dev.luq.helm;

import static dev.luq.helm.Chart.selects;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import dev.luq.telemetry.MetricNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Prometheus and Grafana are told. */
@Integration
class ChartMonitoringTest {

    private static final String ALL =
            "{podMonitor: {enabled: true}, prometheusRule: {enabled: true, labels: {release: p}},"
                    + " dashboard: {enabled: true}, networkPolicy: {enabled: true}, persistence: {enabled: true},"
                    + " requantization: {enabled: true}}";
    private static final Pattern METRIC = Pattern.compile("\\bluq_[a-z0-9_]+");

    @Test
    void podsAreScrapedAsTheServiceIs() {
        Rendered chart = Chart.render(ALL);
        JsonNode monitor = chart.only("PodMonitor").path("spec");
        assertTrue(
                selects(monitor.at("/selector/matchLabels"), chart.podTemplate().at("/metadata/labels")));
        JsonNode endpoint = monitor.at("/podMetricsEndpoints/0");
        assertEquals("/q/metrics", endpoint.path("path").asText());
        assertEquals(chart.container().at("/ports/0/name"), endpoint.path("port"));
        assertEquals("user-key", endpoint.at("/authorization/credentials/key").asText());
    }

    @Test
    void aHeadlessServiceIsNotScrapedBesideTheOther() {
        Rendered chart = Chart.render("{kind: StatefulSet, serviceMonitor: {enabled: true}}");
        JsonNode selector = chart.only("ServiceMonitor").at("/spec/selector/matchLabels");
        assertEquals(
                1,
                chart.all("Service").stream()
                        .filter(service -> selects(selector, service.at("/metadata/labels")))
                        .count());
    }

    @Test
    void nobodyIsCalledWhenAFleetMayRest() {
        String alert = "{prometheusRule: {enabled: true}, %s}";
        assertThat(expression(alert.formatted("replicaCount: 1")), containsString("vector(0)"));
        assertThat(expression(alert.formatted("replicaCount: 0")), not(containsString("vector(0)")));
        assertThat(expression(alert.formatted("replicaCount: 0, kind: DaemonSet")), containsString("vector(0)"));
        assertThat(
                expression(alert.formatted("replicaCount: 0, autoscaling: {enabled: true}")),
                containsString("vector(0)"));
        assertThat(
                expression(
                        alert.formatted("autoscaling: {enabled: true, provider: keda, minReplicas: 0, keda: {triggers:"
                                + " [{type: cron, metadata: {}}]}}")),
                not(containsString("vector(0)")));
    }

    private static String expression(String values) {
        return Chart.render(values)
                .only("PrometheusRule")
                .at("/spec/groups/0/rules/0/expr")
                .asText();
    }

    @Test
    void alertsAndDashboardAskForMetricsThatThereAre() throws IOException {
        List<String> queries = new ArrayList<>(
                alerts().stream().map(rule -> rule.path("expr").asText()).toList());
        queries.addAll(dashboard().findValuesAsText("expr"));
        dashboard().at("/templating/list").findValuesAsText("query").forEach(queries::add);
        Set<String> unknown = new TreeSet<>();
        int asked = 0;
        for (String query : queries) {
            Matcher metric = METRIC.matcher(query);
            while (metric.find()) {
                asked++;
                if (!MetricNames.all().contains(metric.group())) {
                    unknown.add(metric.group());
                }
            }
        }
        assertTrue(asked > 40, "too few to be all: " + asked);
        assertEquals(Set.of(), unknown);
    }

    @Test
    void theDashboardShowsAlmostEveryMetric() throws IOException {
        String queries = String.join("\n", dashboard().findValuesAsText("expr"));
        Set<String> missing = new TreeSet<>();
        for (String name : MetricNames.bare()) {
            if (!queries.contains(name)) {
                missing.add(name);
            }
        }
        assertEquals(Set.of("luq_prompt_cache_evictions_total", "luq_prompt_cache_hits_total"), missing);
    }

    @Test
    void alertsSayWhatAndHowBad() {
        Set<String> names = new TreeSet<>();
        for (JsonNode rule : alerts()) {
            names.add(rule.path("alert").asText());
            assertTrue(rule.at("/annotations/summary").asText().length() > 20, rule::toString);
            assertTrue(
                    Set.of("warning", "critical")
                            .contains(rule.at("/labels/severity").asText()),
                    rule::toString);
        }
        assertEquals(
                Set.of(
                        "LuqKvCacheFull",
                        "LuqModelNotReady",
                        "LuqNothingAnswers",
                        "LuqQueueLong",
                        "LuqRequantizationFailed",
                        "LuqRequantizationJobFailed",
                        "LuqRequestsRejected",
                        "LuqWorkerRestarts"),
                names);
    }

    @Test
    void alertsAreOfThisReleaseAlone() {
        for (JsonNode rule : alerts()) {
            String expression = rule.path("expr").asText();
            Matcher metric = METRIC.matcher(expression);
            while (metric.find()) {
                assertTrue(
                        expression
                                .substring(metric.end())
                                .startsWith("{namespace=\"edge\",pod=~\"luq-luq-server-[a-z0-9]+-[a-z0-9]+\""),
                        expression);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 20, 30, 31, 37, 47, 53})
    void alertsFindPodsAndJobsOfLongNames(int length) {
        Rendered chart = Chart.render("r".repeat(length), ALL);
        List<JsonNode> rules = new ArrayList<>();
        chart.only("PrometheusRule").at("/spec/groups/0/rules").forEach(rules::add);
        String pods = "pod=~\"([^\"]+)\"";
        String jobs = "job_name=~\"([^\"]+)\"";
        // As the API server makes names: what they are generated from has 58 characters at most.
        String replicaSet = chart.only("Deployment").at("/metadata/name").asText() + "-" + "5".repeat(10);
        String pod = (replicaSet + "-").substring(0, Math.min(58, replicaSet.length() + 1)) + "abcde";
        assertThat(pod, matchesPattern(found(pods, rules.get(0))));
        assertThat(
                chart.only("Job").at("/metadata/name").asText(),
                matchesPattern(found(jobs, rules.get(rules.size() - 1))));
    }

    private static String found(String pattern, JsonNode rule) {
        Matcher matcher = Pattern.compile(pattern).matcher(rule.path("expr").asText());
        assertTrue(matcher.find(), rule::toString);
        return matcher.group(1);
    }

    @Test
    void podsAreNotCountedTwice() {
        assertThat(
                Chart.refusal("{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}"),
                containsString("enable one"));
    }

    @Test
    void theDashboardNeedsNoLabel() {
        Rendered chart = Chart.render("dashboard: {enabled: true, labels: {grafana_dashboard: null}}");
        assertEquals(2, chart.all("ConfigMap").size());
    }

    @Test
    void theDashboardIsFoundByGrafana() {
        JsonNode map = map();
        assertEquals("1", map.at("/metadata/labels/grafana_dashboard").asText());
        assertTrue(map.at("/metadata/name").asText().endsWith("-dashboard"));
    }

    private static List<JsonNode> alerts() {
        List<JsonNode> rules = new ArrayList<>();
        Chart.render(ALL).only("PrometheusRule").at("/spec/groups/0/rules").forEach(rules::add);
        return rules;
    }

    private static JsonNode map() {
        return Chart.render(ALL).all("ConfigMap").stream()
                .filter(map -> map.path("data").has("luq-server.json"))
                .findFirst()
                .orElseThrow();
    }

    private static JsonNode dashboard() throws IOException {
        return new ObjectMapper()
                .readTree(map().path("data").path("luq-server.json").asText());
    }
}
