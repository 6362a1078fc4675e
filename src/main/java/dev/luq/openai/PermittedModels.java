package dev.luq.openai;

import dev.luq.http.ApiConfig;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiException.ModelNotFound;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The models that a caller may use. The others do not exist for it. */
@Singleton
public final class PermittedModels {

    private final ModelWorkers workers;
    private final boolean anyName;

    @Inject
    PermittedModels(ModelWorkers workers, ApiConfig config) {
        this.workers = workers;
        this.anyName = config.anyModelName();
    }

    /**
     * @param name an id or alias; null or empty for the default model, or the first that the caller may use
     * @throws ModelNotFound when there is none, or none for this caller
     */
    public ModelWorker get(Caller caller, String name) {
        Optional<ModelWorker> found = workers.find(name).filter(worker -> mayUse(caller, worker));
        if (found.isEmpty() && (name == null || name.isEmpty())) {
            found = all(caller).stream().findFirst();
        }
        return found.orElseThrow(ModelNotFound::new);
    }

    /**
     * The model of a request.
     *
     * @param name as of {@link #get}; where so configured, one of no model is the default model's
     * @throws ModelNotFound as there
     */
    public ModelWorker addressed(Caller caller, String name) {
        return anyName && name != null && !permits(caller, name) ? get(caller, null) : get(caller, name);
    }

    /** In the catalogue's order, the default model first. */
    public List<ModelWorker> all(Caller caller) {
        return workers.all().stream().filter(worker -> mayUse(caller, worker)).toList();
    }

    /** Whether a model of this id or alias exists for the caller. */
    public boolean permits(Caller caller, String name) {
        return workers.find(name).filter(worker -> mayUse(caller, worker)).isPresent();
    }

    private boolean mayUse(Caller caller, ModelWorker worker) {
        Set<String> models = caller.key().map(key -> key.models()).orElse(Set.of());
        return models.isEmpty()
                || models.contains(worker.modelId())
                || models.stream().anyMatch(name -> workers.find(name)
                        .filter(named -> named.modelId().equals(worker.modelId()))
                        .isPresent());
    }
}
