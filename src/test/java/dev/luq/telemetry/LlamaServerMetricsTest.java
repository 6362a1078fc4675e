package dev.luq.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.protocol.WorkerFrame.EngineStats;
import dev.luq.serving.ModelWorker;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class LlamaServerMetricsTest {

    private final LlamaServerMetrics metrics = new LlamaServerMetrics();

    @Test
    void aModelThatIsDeletedStaysCounted() {
        metrics.added(worker("small", 100, 0));
        metrics.added(worker("large", 20, 1));
        assertEquals(120, value("tokens_predicted_total"));
        metrics.removed("small");
        assertEquals(120, value("tokens_predicted_total"));
        assertEquals(100, value("n_tokens_max"));
        metrics.added(worker("small", 0, 0));
        assertEquals(120, value("tokens_predicted_total"), "another one of that name begins at 0");
    }

    @Test
    void aModelThatIsDeletedHasNoRequests() {
        metrics.added(worker("small", 100, 0));
        metrics.added(worker("large", 20, 1));
        metrics.removed("small");
        assertEquals(1, value("requests_processing"));
        assertEquals(2, value("requests_deferred"));
    }

    @Test
    void throughputIsWhatAllModelsDidSinceTheScrapeBeforeAlsoWhenOneIsDeleted() {
        metrics.added(worker("small", 100, 0));
        metrics.scrape();
        metrics.removed("small");
        metrics.added(worker("large", 20, 0));
        assertEquals(1000, value("predicted_tokens_seconds"));
        assertEquals(0, value("predicted_tokens_seconds"));
    }

    private double value(String name) {
        String series = "llamacpp:" + name + " ";
        String scrape = metrics.scrape();
        return scrape.lines()
                .filter(line -> line.startsWith(series))
                .mapToDouble(line -> Double.parseDouble(line.substring(series.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError(scrape));
    }

    /**
     * A worker on which two requests wait.
     *
     * @param tokens generated, one a millisecond, in the longest sequence
     */
    private static ModelWorker worker(String id, int tokens, int running) {
        EngineStats totals = new EngineStats(
                0, running, 0, 0, 0, tokens, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, tokens, 0, 0,
                tokens);
        return (ModelWorker) Proxy.newProxyInstance(
                ModelWorker.class.getClassLoader(),
                new Class<?>[] {ModelWorker.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "modelId" -> id;
                    case "totals" -> totals;
                    case "waiting" -> 2;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}
