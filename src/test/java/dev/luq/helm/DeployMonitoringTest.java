package dev.luq.helm;

import static dev.luq.Until.until;
import static dev.luq.helm.Chart.stream;
import static dev.luq.helm.PodClient.answer;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import dev.luq.helm.Pod.Image;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus beside a pod of the image, with the chart's alerts and dashboard: {@code ./luq test --deploy}. */
@Integration
@EnabledIfSystemProperty(named = "luq.deploy", matches = ".+")
class DeployMonitoringTest {

    private static final String USER = "user-0123456789abcdef";
    private static final String VALUES =
            """
            apiKeys: {user: [%s], admin: [admin-0123456789abcdef]}
            podMonitor: {enabled: true}
            prometheusRule: {enabled: true}
            dashboard: {enabled: true}
            requantization: {enabled: true}
            persistence: {enabled: true}
            """
                    .formatted(USER);
    private static final Pattern LABEL_VALUES = Pattern.compile("label_values\\((.*), (\\w+)\\)");

    @TempDir
    private static Path directory;

    private static Rendered chart;
    private static Pod pod;
    private static Prometheus prometheus;

    @BeforeAll
    static void start() throws Exception {
        chart = Chart.render(VALUES);
        pod = Pod.start(chart, Image.of(Path.of(System.getProperty("luq.deploy"))), directory.resolve("pod"));
        prometheus = Prometheus.start(chart, pod, directory.resolve("prometheus"));
    }

    @AfterAll
    static void stop() throws Exception {
        if (prometheus != null) {
            prometheus.close();
        }
        if (pod != null) {
            pod.close();
        }
    }

    @Test
    void theDashboardShowsWhatThePodDoes() throws Exception {
        PodClient user = new PodClient(pod, USER, directory);
        for (int i = 0; i < 3; i++) {
            assertThat(answer(user.ask()), containsString("[DONE]"));
        }
        JsonNode dashboard = dashboard();
        until("answers are counted", () -> !prometheus
                .query("rate(luq_request_success_total[1m]) > 0")
                .isEmpty());
        Set<String> empty = new TreeSet<>();
        for (String expression : dashboard.findValuesAsText("expr")) {
            boolean ofFaults = expression.endsWith("> 0");
            if (prometheus.query(filled(expression)).isEmpty() && !ofFaults) {
                empty.add(metrics(expression));
            }
        }
        assertEquals(Set.of(), empty);
    }

    @Test
    void theVariablesOfTheDashboardHaveValues() throws Exception {
        for (JsonNode variable : dashboard().at("/templating/list")) {
            Matcher query = LABEL_VALUES.matcher(variable.at("/query/query").asText());
            if (query.matches()) {
                JsonNode values = prometheus.labelValues(filled(query.group(1)), query.group(2));
                assertFalse(values.isEmpty(), variable::toString);
            }
        }
    }

    @Test
    void alertsAreEvaluatedAndSilentWhileAllIsWell() {
        JsonNode rules = prometheus.rules();
        assertEquals(chart.only("PrometheusRule").at("/spec/groups/0/rules").size(), rules.size());
        for (JsonNode rule : rules) {
            assertEquals("ok", rule.path("health").asText(), rule::toString);
        }
        until("those that another test does not raise are silent", () -> stream(prometheus.rules())
                .filter(rule -> !rule.path("name").asText().equals("LuqWorkerRestarts"))
                .allMatch(rule -> rule.path("state").asText().equals("inactive")));
    }

    @Test
    void workersThatDieAgainAndAgainRaiseAnAlert() throws Exception {
        ProcessHandle server = ProcessHandle.of(pod.pid()).orElseThrow();
        for (int deaths = 0; deaths < 3; deaths++) {
            ProcessHandle worker = Children.of(server, "WorkerMain").get(0);
            worker.destroyForcibly();
            until("the worker ends", () -> !worker.isAlive());
            pod.awaitReady();
        }
        until("the alert fires", () -> stream(prometheus.rules())
                .filter(rule -> rule.path("name").asText().equals("LuqWorkerRestarts"))
                .flatMap(rule -> stream(rule.path("alerts")))
                .anyMatch(alert -> alert.path("state").asText().equals("firing")
                        && alert.at("/labels/signal").asText().equals("SIGKILL")
                        && alert.at("/annotations/summary").asText().contains(Prometheus.POD_NAME)));
    }

    private static JsonNode dashboard() throws Exception {
        return new ObjectMapper()
                .readTree(chart.all("ConfigMap").stream()
                        .map(map -> map.path("data").path("luq-server.json"))
                        .filter(JsonNode::isTextual)
                        .findFirst()
                        .orElseThrow()
                        .asText());
    }

    /** An expression of the dashboard as Grafana sends it where everything is chosen. */
    private static String filled(String expression) {
        return expression.replace("$__rate_interval", "1m").replaceAll("\\$(namespace|pod|model)", ".+");
    }

    private static String metrics(String expression) {
        return Pattern.compile("luq_\\w+")
                .matcher(expression)
                .results()
                .map(found -> found.group())
                .distinct()
                .collect(Collectors.joining(" "));
    }
}
