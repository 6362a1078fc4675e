package dev.luq.serving;

import dev.luq.catalog.CatalogEntry;
import dev.luq.gguf.CheckedModel;
import dev.luq.gguf.GgufException;
import dev.luq.memory.MemoryEstimate;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * What the models of the catalogue take as they are served. Headers are read when a model's files or settings are others
 * than before, and not kept, as the catalogue does not keep them: a vocabulary alone takes megabytes. Thread-safe.
 */
@Singleton
public class ServedMemory {

    private final WorkerConfig config;
    private final Map<String, Estimated> known = new ConcurrentHashMap<>();

    /** What an estimate depends on. */
    private record Served(List<Path> files, Optional<Path> mmproj, FileStamps stamps, WorkerSettings settings) {}

    private record Estimated(Served served, Optional<MemoryEstimate> memory) {}

    @Inject
    ServedMemory(WorkerConfig config) {
        this.config = config;
    }

    /** @return empty for files that cannot be served or whose layers cannot be told apart */
    public Optional<MemoryEstimate> of(CatalogEntry entry) {
        List<Path> all =
                Stream.concat(entry.files().stream(), entry.mmproj().stream()).toList();
        Served served = new Served(
                entry.files(), entry.mmproj(), FileStamps.of(all), WorkerSettings.of(config, entry.settings()));
        return known.compute(
                        entry.id(),
                        (id, before) -> before != null && before.served().equals(served)
                                ? before
                                : new Estimated(served, estimate(entry)))
                .memory();
    }

    /** What its process takes; where the layers cannot be told apart, its weights. */
    long ofWorker(CatalogEntry entry) {
        return of(entry)
                .map(MemoryEstimate::worker)
                .or(() -> entry.facts().map(facts -> facts.bytes() + facts.mmprojBytes()))
                .orElse(0L);
    }

    /** A model is no longer in the catalogue. */
    void forget(String id) {
        known.remove(id);
    }

    private Optional<MemoryEstimate> estimate(CatalogEntry entry) {
        try {
            CheckedModel model = CheckedModel.read(entry.files(), entry.mmproj());
            return Optional.of(
                    MemoryEstimate.asItIs(model.files(), model.projector(), ServedShape.of(config, entry, model)));
        } catch (GgufException e) {
            return Optional.empty();
        }
    }
}
