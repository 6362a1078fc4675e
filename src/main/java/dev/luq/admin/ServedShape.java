package dev.luq.admin;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.gguf.CheckedModel;
import dev.luq.machine.Processors;
import dev.luq.memory.ServingShape;
import dev.luq.protocol.ServerFrame.Load;
import dev.luq.serving.WorkerConfig;

/** How this server runs its models: what decides their memory beside the weights. */
final class ServedShape {

    private ServedShape() {}

    /** @throws CatalogException.InvalidModel when the base files cannot be read */
    static CheckedModel base(CatalogEntry entry) {
        return Catalog.check(entry.base().model(), entry.base().mmproj());
    }

    /** @param model of the entry's base, or as it is served */
    static ServingShape of(WorkerConfig config, CatalogEntry entry, CheckedModel model) {
        int context = Load.contextSize(config.contextSize(), model.facts().contextLength());
        int threads = Processors.threads(config.threads());
        return new ServingShape(
                context,
                Math.min(config.batchSize(), context),
                config.slots(),
                threads,
                ServingShape.imageTokens(config.imageMaxTokens(), context),
                entry.kernels(config.kernels()),
                config.kvCacheType(),
                config.promptCacheBytes());
    }
}
