package dev.luq.telemetry;

import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/**
 * {@code /metrics}: ours, then {@link LlamaServerMetrics}, always as text, which is the only format for these.
 * {@code /q/metrics} has ours alone, in the format that is asked for.
 */
@Singleton
@SuppressWarnings("deprecation") // It is this registry that Quarkus makes.
public class MetricsRoute {

    private final PrometheusMeterRegistry registry;
    private final LlamaServerMetrics llamaServer;

    @Inject
    MetricsRoute(PrometheusMeterRegistry registry, LlamaServerMetrics llamaServer) {
        this.registry = registry;
        this.llamaServer = llamaServer;
    }

    void add(@Observes Router router) {
        router.route("/metrics").method(HttpMethod.GET).method(HttpMethod.HEAD).blockingHandler(this::answer, false);
    }

    private void answer(RoutingContext routing) {
        long startMillis = ManagementFactory.getRuntimeMXBean().getStartTime();
        routing.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, TextFormat.CONTENT_TYPE_004)
                .putHeader("Process-Start-Time-Unix", Long.toString(TimeUnit.MILLISECONDS.toSeconds(startMillis)))
                .end(registry.scrape() + llamaServer.scrape());
    }
}
