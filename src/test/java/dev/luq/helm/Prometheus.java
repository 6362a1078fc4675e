package dev.luq.helm;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.helm.Chart.Rendered;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Prometheus in the network of a pod, which it scrapes as the chart's PodMonitor says, but every second, and for which
 * it evaluates the chart's PrometheusRule. Closing ends it.
 */
final class Prometheus implements AutoCloseable {

    /** As a Deployment names pods. */
    static final String POD_NAME = "luq-luq-server-5d8f7c9b64-x2x7k";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ADDRESS = "127.0.0.1:9090";

    private final Pod pod;
    private final Process process;

    private Prometheus(Pod pod, Process process) {
        this.pod = pod;
        this.process = process;
    }

    /**
     * Starts it, and waits until it has scraped the pod and evaluated the rules with what it found.
     *
     * @param chart of the pod, with a PodMonitor and a PrometheusRule
     * @param directory an empty one
     */
    static Prometheus start(Rendered chart, Pod pod, Path directory) throws IOException {
        Files.createDirectories(directory);
        Path rules = directory.resolve("rules.yaml");
        JSON.writeValue(rules.toFile(), chart.only("PrometheusRule").path("spec"));
        Path config = directory.resolve("prometheus.yaml");
        JSON.writeValue(config.toFile(), configuration(chart, rules));
        promtool("check", "config", config.toString());
        Path log = directory.resolve("log");
        List<String> line = new ArrayList<>(pod.inItsNetwork());
        line.addAll(List.of("prometheus", "--web.listen-address=" + ADDRESS));
        line.addAll(List.of("--config.file=" + config, "--storage.tsdb.path=" + directory.resolve("data")));
        Process process = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Prometheus prometheus = new Prometheus(pod, process);
        try {
            until("the pod is scraped and answers", prometheus::seesTheModel);
        } catch (AssertionError e) {
            prometheus.close();
            throw new AssertionError(e.getMessage() + "\n" + Files.readString(log), e);
        }
        return prometheus;
    }

    private static JsonNode configuration(Rendered chart, Path rules) {
        JsonNode endpoint = chart.only("PodMonitor").at("/spec/podMetricsEndpoints/0");
        JsonNode key = endpoint.at("/authorization/credentials");
        ObjectNode configuration = JSON.createObjectNode();
        configuration.putObject("global").put("scrape_interval", "1s").put("evaluation_interval", "1s");
        configuration.putArray("rule_files").add(rules.toString());
        ObjectNode scrape = configuration
                .putArray("scrape_configs")
                .addObject()
                .put("job_name", "luq")
                .put("metrics_path", endpoint.path("path").asText());
        scrape.putObject("authorization")
                .put(
                        "credentials",
                        Pod.files(chart.objects(), "Secret", key.path("name").asText())
                                .get(key.path("key").asText()));
        ObjectNode target = scrape.putArray("static_configs").addObject();
        target.putArray("targets").add("127.0.0.1:8080");
        target.putObject("labels").put("namespace", Cluster.NAMESPACE).put("pod", POD_NAME);
        return configuration;
    }

    /** The alert for it is pending from the first evaluation until the first scrape. */
    private boolean seesTheModel() {
        if (!process.isAlive()) {
            throw new AssertionError("Prometheus ended");
        }
        return ask("sum(luq_model_ready) > 0 unless on () ALERTS{alertname=\"LuqNothingAnswers\"}")
                .output()
                .contains("\"1\"]");
    }

    /** What an expression gives now: the array {@code result}. */
    JsonNode query(String expression) {
        return data(ask(expression)).path("result");
    }

    /** The values of a label of the series that a selector takes. */
    JsonNode labelValues(String selector, String label) {
        return data(Command.run(curl(
                "--get",
                "--data-urlencode",
                "match[]=" + selector,
                "http://" + ADDRESS + "/api/v1/label/" + label + "/values")));
    }

    /** The rules with their health and what they found. */
    JsonNode rules() {
        return data(Command.run(curl("http://" + ADDRESS + "/api/v1/rules"))).at("/groups/0/rules");
    }

    private Command.Result ask(String expression) {
        return Command.run(
                curl("--get", "--data-urlencode", "query=" + expression, "http://" + ADDRESS + "/api/v1/query"));
    }

    private List<String> curl(String... options) {
        List<String> line = new ArrayList<>(pod.inItsNetwork());
        line.addAll(List.of("curl", "--silent", "--show-error"));
        line.addAll(List.of(options));
        return line;
    }

    private static JsonNode data(Command.Result answer) {
        try {
            JsonNode json = JSON.readTree(answer.output());
            assertEquals("success", json.path("status").asText(), answer::output);
            return json.path("data");
        } catch (IOException e) {
            throw new AssertionError(answer.output(), e);
        }
    }

    private static void promtool(String... arguments) {
        List<String> line = new ArrayList<>(List.of("promtool"));
        line.addAll(List.of(arguments));
        Command.Result result = Command.run(line);
        assertEquals(0, result.code(), result.output());
    }

    @Override
    public void close() {
        process.destroy();
    }
}
