package dev.luq.admin;

import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.CheckedModel;
import dev.luq.machine.Processors;
import dev.luq.requant.plan.ServingShape;
import dev.luq.worker.WorkerConfig;
import dev.luq.worker.protocol.ServerFrame.Load;

/** How this server runs its models, which decides what they take beside their weights. */
final class ServedShape {

    private ServedShape() {
    }

    /** @throws CatalogException.InvalidModel when the base files cannot be read */
    static CheckedModel base(CatalogEntry entry) {
        return CheckedModel.read(entry.base().model(), entry.base().mmproj());
    }

    /** @param model of the entry's base, or as it is served */
    static ServingShape of(WorkerConfig config, CatalogEntry entry, CheckedModel model) {
        int context = config.contextSize() > 0 ? config.contextSize()
                : (int) Math.min(model.facts().contextLength().orElse(Load.DEFAULT_CONTEXT), Load.DEFAULT_CONTEXT);
        int threads = Processors.threads(config.threads());
        return new ServingShape(context, Math.min(config.batchSize(), context), config.slots(), threads,
                ServingShape.imageTokens(config.imageMaxTokens(), context), entry.kernels(config.kernels()));
    }
}
