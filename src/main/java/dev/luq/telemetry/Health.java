package dev.luq.telemetry;

import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.eclipse.microprofile.health.Startup;

/**
 * Health of the server. The checks are asynchronous, that is answered on an event loop, and only look at what the
 * supervisor knows: neither a busy model nor busy worker threads delay them.
 */
final class Health {

    private Health() {}

    /** The server answers. Models do not count: their processes are restarted without it. */
    @Liveness
    @Singleton
    static class Live implements AsyncHealthCheck {
        @Override
        public Uni<HealthCheckResponse> call() {
            return Uni.createFrom().item(HealthCheckResponse.up("server"));
        }
    }

    /**
     * Requests can be answered: every model that is loaded with the server was loaded once or cannot be, none drains,
     * and at least one is served, or loaded by the next request for it. A model that is loaded later does not keep the
     * others from being asked, nor does one that is being swapped.
     */
    @Readiness
    @Singleton
    static class Ready implements AsyncHealthCheck {
        private final ModelWorkers workers;
        private volatile boolean started;

        @Inject
        Ready(ModelWorkers workers) {
            this.workers = workers;
        }

        @Override
        public Uni<HealthCheckResponse> call() {
            return Uni.createFrom().item(() -> {
                Set<ModelWorker.State> states = EnumSet.noneOf(ModelWorker.State.class);
                workers.all().forEach(worker -> states.add(worker.state()));
                started |= !states.contains(ModelWorker.State.LOADING);
                boolean served = workers.all().stream().anyMatch(ModelWorker::isServing);
                return describe("models", workers.all())
                        .status(started && served && !states.contains(ModelWorker.State.DRAINING))
                        .build();
            });
        }
    }

    /** Every model was loaded, or it is known that it cannot be. */
    @Startup
    @Singleton
    static class Started implements AsyncHealthCheck {
        private final ModelWorkers workers;
        private volatile boolean started;

        @Inject
        Started(ModelWorkers workers) {
            this.workers = workers;
        }

        @Override
        public Uni<HealthCheckResponse> call() {
            return Uni.createFrom().item(() -> {
                started |= workers.all().stream().noneMatch(worker -> worker.state() == ModelWorker.State.LOADING);
                return describe("models loaded", workers.all()).status(started).build();
            });
        }
    }

    private static HealthCheckResponseBuilder describe(String name, List<ModelWorker> workers) {
        HealthCheckResponseBuilder response = HealthCheckResponse.named(name);
        for (ModelWorker worker : workers) {
            String failure = worker.failure().map(reason -> ": " + reason).orElse("");
            response.withData(worker.modelId(), worker.state().name().toLowerCase(Locale.ROOT) + failure);
        }
        return response;
    }
}
