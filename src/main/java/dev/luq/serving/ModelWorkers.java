package dev.luq.serving;

import java.util.List;
import java.util.Optional;

/** The workers of all models that this server serves. */
public interface ModelWorkers {

    /** @param modelId an id or alias of the catalogue; null or empty for the default model */
    Optional<ModelWorker> find(String modelId);

    /** In the catalogue's order, the default model first. */
    List<ModelWorker> all();
}
