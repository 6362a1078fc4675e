package dev.luq.openai.generation;

import dev.luq.http.access.Caller;
import dev.luq.http.access.RateLimits;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.JsonBody;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.openai.PermittedModels;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.GenerationListener;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.smallrye.mutiny.Uni;
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

    /** What is done with a request that is admitted. */
    public interface Step<E, T> {
        /** @param model what the worker serves */
        Uni<T> take(Caller caller, E request, ModelWorker worker, ModelInfo model);
    }

    /**
     * Admits the current request. Called on a worker thread.
     *
     * @param body JSON
     * @param type what the body is read as
     * @param requests the request of a body
     * @throws ApiException if it is refused, also by the step
     */
    public <B, E extends Addressed, T> Uni<T> admit(
            InputStream body, Class<B> type, Function<? super B, ? extends E> requests, Step<? super E, T> step)
            throws IOException {
        Caller caller = Caller.of(routing);
        rates.admit(caller);
        try (ReceivedBody received = ReceivedBody.of(routing)) {
            E request = requests.apply(JsonBody.read(body, budget.largestBody(), type));
            ModelWorker worker = models.get(caller, request.model());
            try {
                return step.take(caller, request, worker, worker.info().orElseThrow(() -> notReady(worker)));
            } catch (ApiException refused) {
                listeners.forEach(listener ->
                        listener.rejected(worker.modelId(), refused.error().code()));
                throw new ApiException.Refused(refused.error().named(request::field));
            }
        }
    }

    private static WorkerException notReady(ModelWorker worker) {
        return new WorkerException.NotReady(
                worker.state(),
                worker.state() == ModelWorker.State.FAILED
                        ? "The model cannot be served: " + worker.failure().orElse("it failed to load")
                        : "The model is loading");
    }
}
