package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.access.Caller;
import dev.luq.http.access.RateLimits;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.RequestId;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.JsonBody;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.openai.PermittedModels;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.GenerationListener;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Function;

/** How every request to a model begins: the rate of its key, its body, its model. */
@Singleton
public final class Admission {

    private final PermittedModels models;
    private final RateLimits rates;
    private final IntakeBudget budget;
    private final Instance<GenerationListener> listeners;
    private final RoutingContext routing;

    @Inject
    Admission(
            PermittedModels models,
            RateLimits rates,
            IntakeBudget budget,
            Instance<GenerationListener> listeners,
            RoutingContext routing) {
        this.models = models;
        this.rates = rates;
        this.budget = budget;
        this.listeners = listeners;
        this.routing = routing;
    }

    /**
     * Admits the current request. Called on a worker thread.
     *
     * @param body JSON
     * @param type what the body is read as
     * @param requests the request of a body
     * @throws ApiException if it is refused
     */
    <B, E extends Addressed> Admitted<E> admit(
            InputStream body, Class<B> type, Function<? super B, ? extends E> requests) throws IOException {
        long arrived = System.nanoTime();
        Caller caller = Caller.of(routing);
        rates.admit(caller);
        ReceivedBody received = ReceivedBody.of(routing);
        boolean read = false;
        try (ReceivedBody.Hold parsing = received.hold()) {
            E request = requests.apply(JsonBody.read(body, budget.largestBody(), type));
            ModelWorker worker = models.addressed(caller, request.model());
            // The framework begins nothing for a client that has left: the answer's end would never come.
            ClientPresence.of(routing).whenGone(received::close);
            read = true;
            return new Admitted<>(
                    caller,
                    request,
                    worker,
                    RequestId.of(routing),
                    arrived,
                    received,
                    id -> models.permits(caller, id),
                    refused -> listeners.forEach(listener ->
                            listener.rejected(worker.modelId(), refused.error().code())));
        } finally {
            if (!read) {
                received.close();
            }
        }
    }

    /** What a model is that was loaded once. */
    public static ModelInfo info(ModelWorker worker) {
        return worker.info().orElseThrow(() -> notReady(worker));
    }

    private static WorkerException notReady(ModelWorker worker) {
        return new WorkerException.NotReady(
                worker.state(),
                switch (worker.state()) {
                    case FAILED ->
                        "The model cannot be served: " + worker.failure().orElse("it failed to load");
                    case UNLOADED -> "The model is not loaded";
                    default -> "The model is loading";
                });
    }
}
