package dev.luq.telemetry;

import io.vertx.ext.web.Router;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/** The short paths that monitoring expects, beside those of Quarkus. */
@Singleton
public class MonitoringRoutes {

    void routes(@Observes Router router) {
        router.get("/metrics").handler(routing -> routing.reroute("/q/metrics"));
        router.get("/health").handler(routing -> routing.reroute("/q/health"));
    }
}
