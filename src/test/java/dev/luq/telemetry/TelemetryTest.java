package dev.luq.telemetry;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.get;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.TinyAndBroken;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import dev.luq.serving.WorkerClient;
import dev.luq.serving.WorkerException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import jakarta.inject.Inject;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What health and metrics say of a good model and of a broken one. */
@Integration
@QuarkusTest
@TestProfile(TinyAndBroken.class)
class TelemetryTest {

    @ConfigProperty(name = "luq.worker.slots")
    int slots;

    @Inject
    ModelWorkers workers;

    private ModelWorker tiny;

    @BeforeEach
    void waitUntilReady() {
        tiny = workers.find("little").orElseThrow();
        until("ready", () -> tiny.state() == ModelWorker.State.READY);
    }

    @Test
    void aModelWithABrokenFileFailsAloneAndSaysWhy() {
        ModelWorker broken = workers.find("broken").orElseThrow();
        assertEquals(ModelWorker.State.FAILED, broken.state());
        assertTrue(
                broken.failure().orElseThrow().contains("model file"),
                broken.failure().get());
        assertEquals(
                List.of("tiny", "broken"),
                workers.all().stream().map(ModelWorker::modelId).toList());
        assertEquals("tiny", workers.find("").orElseThrow().modelId());
    }

    @Test
    void healthIsReadyWhenNoModelLoads() {
        get("/q/health/live").then().statusCode(200).body("status", equalTo("UP"));
        get("/q/health/started").then().statusCode(200);
        get("/q/health/ready")
                .then()
                .statusCode(200)
                .body("checks.find { it.name == 'models' }.data.tiny", equalTo("ready"))
                .body("checks.find { it.name == 'models' }.data.broken", containsString("failed"))
                .body("checks.find { it.name == 'models' }.data.broken", not(containsString("/")));
        get("/health").then().statusCode(200).body("status", equalTo("UP"));
    }

    @Test
    void theScrapeHasTheTableOfMetricsAndNoOther() {
        answer(8);
        Set<String> expected =
                Arrays.stream(Metrics.values()).map(Metrics::metricName).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(
                expected,
                scrape().lines()
                        .filter(line -> line.startsWith("luq_"))
                        .map(line -> line.replaceFirst("[{ ].*", "").replaceFirst("_(bucket|count|sum|max)$", ""))
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void whichModelAnswersIsShown() {
        assertEquals(1, value("luq_model_ready{model_name=\"tiny\""));
        assertEquals(0, value("luq_model_ready{model_name=\"broken\""));
    }

    @Test
    void anAnswerIsCounted() {
        double answersBefore = value("luq_e2e_request_latency_seconds_count{model_name=\"tiny\"");
        double tokensBefore = value("luq_generation_tokens_total{model_name=\"tiny\"");
        WorkerFrame.Finished finished = answer(8);
        until(
                "stats",
                () -> value("luq_generation_tokens_total{model_name=\"tiny\"")
                        == tokensBefore + finished.completionTokens());
        assertEquals(answersBefore + 1, value("luq_e2e_request_latency_seconds_count{model_name=\"tiny\""));
        assertTrue(value("luq_request_success_total{finished_reason=\"" + finished.finishReason()
                        + "\",model_name=\"tiny\"")
                >= 1);
        assertTrue(value("luq_kv_cache_usage_ratio{model_name=\"tiny\"") > 0);
        assertTrue(value("luq_model_memory_bytes{model_name=\"tiny\",part=\"resident\"") > 10_000_000);
        assertTrue(scrape().contains("quantization=\"F16\""), "model_info");
        assertTrue(
                scrape().contains("luq_time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"300.0\""),
                "buckets of minutes");
    }

    @Test
    void llamaServersMetricsAreBesideOurs() {
        String before = scrape();
        AssertSubscriber<WorkerFrame.OfRequest> answer = WorkerClient.run(tiny, request(8));
        WorkerClient.answer(answer);
        WorkerFrame.Accepted accepted = (WorkerFrame.Accepted) answer.getItems().get(0);
        WorkerFrame.Finished finished = (WorkerFrame.Finished) answer.getLastItem();
        String after = scrape();
        // at once: whoever has an answer finds it counted
        assertEquals(finished.completionTokens(), growth("tokens_predicted_total", before, after));
        assertEquals(accepted.cachedTokens(), growth("prompt_tokens_cached_total", before, after));
        assertEquals(accepted.promptTokens() - accepted.cachedTokens(), growth("prompt_tokens_total", before, after));
        assertTrue(growth("n_decode_total", before, after) >= finished.completionTokens());
        assertTrue(growth("tokens_predicted_seconds_total", before, after) > 0);
        assertTrue(growth("prompt_seconds_total", before, after) > 0);
        assertTrue(value(after, "llamacpp:n_tokens_max ") >= accepted.promptTokens());
        assertTrue(value(after, "llamacpp:predicted_tokens_seconds ") > 0);
        assertEquals(0, value(after, "llamacpp:requests_processing "));
        double busy = value(after, "llamacpp:n_busy_slots_per_decode ");
        assertTrue(busy >= 1 && busy <= slots, busy + " sequences");
        assertEquals(0, value(scrape(), "llamacpp:predicted_tokens_seconds "), "nothing since the scrape before");
        assertTrue(after.contains("# TYPE llamacpp:n_tokens_max counter\n"), after);
        get("/metrics").then().header("Process-Start-Time-Unix", matchesPattern("\\d{10}"));
        get("/q/metrics").then().statusCode(200).body(not(containsString("llamacpp:")));
    }

    private static double growth(String name, String before, String after) {
        String series = "llamacpp:" + name + " ";
        return value(after, series) - value(before, series);
    }

    @Test
    void aDeathIsCountedAndCountersGoOn() {
        answer(8);
        until("stats", () -> tiny.totals().running() == 0 && tiny.totals().generationTokens() > 0);
        double tokens = value("luq_generation_tokens_total{model_name=\"tiny\"");
        double deaths = value("luq_worker_restarts_total{model_name=\"tiny\",signal=\"SIGKILL\"");
        long pid = tiny.pid().orElseThrow();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        until(
                "successor",
                () -> tiny.state() == ModelWorker.State.READY && tiny.pid().orElse(pid) != pid);
        assertEquals(deaths + 1, value("luq_worker_restarts_total{model_name=\"tiny\",signal=\"SIGKILL\""));
        assertTrue(value("luq_generation_tokens_total{model_name=\"tiny\"") >= tokens);
        answer(4);
        until("sum", () -> value("luq_generation_tokens_total{model_name=\"tiny\"") > tokens);
    }

    @Test
    void aRefusalIsCounted() {
        ModelWorker broken = workers.find("broken").orElseThrow();
        double before = value("luq_requests_rejected_total{model_name=\"broken\",reason=\"model_failed\"");
        WorkerClient.failure(WorkerException.NotReady.class, WorkerClient.run(broken, request(1)));
        assertEquals(before + 1, value("luq_requests_rejected_total{model_name=\"broken\",reason=\"model_failed\""));
    }

    private WorkerFrame.Finished answer(int maxTokens) {
        AssertSubscriber<WorkerFrame.OfRequest> answer = WorkerClient.run(tiny, request(maxTokens));
        WorkerClient.answer(answer);
        return (WorkerFrame.Finished) answer.getLastItem();
    }

    private static ServerFrame.Generate request(int maxTokens) {
        return WorkerClient.request("{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}", maxTokens);
    }

    private static String scrape() {
        return get("/metrics").then().statusCode(200).extract().asString();
    }

    private static double value(String series) {
        return value(scrape(), series);
    }

    private static double value(String scrape, String series) {
        return scrape.lines()
                .filter(line -> line.startsWith(series))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(series + " is not in the scrape"));
    }
}
