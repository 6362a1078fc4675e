package dev.luq.telemetry;

import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/** The short paths that monitoring expects, beside those of Quarkus. */
@Singleton
public class MonitoringRoutes {

    void routes(@Observes Router router) {
        alias(router, "/metrics", "/q/metrics");
        alias(router, "/health", "/q/health");
    }

    private static void alias(Router router, String path, String of) {
        router.get(path).method(HttpMethod.HEAD).handler(routing -> routing.reroute(of));
    }
}
