package dev.luq.serving;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.gguf.CheckedModel;
import dev.luq.gguf.Pooling;
import dev.luq.machine.Processors;
import dev.luq.memory.ServingShape;
import dev.luq.protocol.ServerFrame.Load;

/** How this server runs its models: what decides their memory beside the weights. */
public final class ServedShape {

    private ServedShape() {}

    /** @throws CatalogException.InvalidModel when the base files cannot be read */
    public static CheckedModel base(CatalogEntry entry) {
        return Catalog.check(entry.base().model(), entry.base().mmproj());
    }

    /** @param model of the entry's base, or as it is served */
    public static ServingShape of(WorkerConfig config, CatalogEntry entry, CheckedModel model) {
        WorkerSettings settings = WorkerSettings.of(config, entry.settings());
        int context = Load.contextSize(
                settings.contextSize(),
                model.facts().contextLength(),
                model.facts().encoder());
        int threads = Processors.threads(config.threads());
        int batch = Math.min(config.batchSize(), context);
        Pooling pooling = model.facts().pooling(settings.pooling());
        return new ServingShape(
                context,
                batch,
                settings.slots(),
                threads,
                ServingShape.imageTokens(settings.imageMaxTokens(), context),
                settings.kernels(),
                settings.kvCacheType(),
                config.promptCacheBytes(),
                model.facts().putsOutAll(pooling)
                        ? batch
                        : settings.slots() + Load.draftTokens(draftTokens(config), settings.slots(), batch));
    }

    /** Tokens that one step drafts at most, by the configuration. */
    static int draftTokens(WorkerConfig config) {
        return config.speculation() == WorkerConfig.Speculation.NONE ? 0 : config.draftTokens();
    }
}
