package dev.luq.serving;

import dev.luq.catalog.ModelSettings;
import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import java.util.Optional;

/**
 * How one model's process is run: what its own configuration says, else what {@link WorkerConfig} says for all.
 *
 * @param contextSize tokens of KV cache shared by all slots; 0 takes what {@link
 *     dev.luq.protocol.ServerFrame.Load#contextSize} says
 * @param slotContextSize of these, how many one request may take; 0 for all
 * @param slots sequences decoded at once
 * @param imageMaxTokens upper bound of one image's tokens; 0 takes the model's own
 * @param kernels what multiplies the weights
 * @param kvCacheType number format of the KV cache
 * @param pooling how embeddings are made; empty: as the model's file says
 * @param chatTemplate in place of the model's own
 */
public record WorkerSettings(
        int contextSize,
        int slotContextSize,
        int slots,
        int imageMaxTokens,
        Kernels kernels,
        KvType kvCacheType,
        Optional<Pooling> pooling,
        Optional<String> chatTemplate) {

    public static WorkerSettings of(WorkerConfig config, ModelSettings settings) {
        return new WorkerSettings(
                settings.contextSize().orElse(config.contextSize()),
                settings.slotContextSize().orElse(config.slotContextSize()),
                settings.slots().orElse(config.slots()),
                settings.imageMaxTokens().orElse(config.imageMaxTokens()),
                settings.kernels().orElse(config.kernels()),
                settings.kvCacheType().orElse(config.kvCacheType()),
                settings.pooling(),
                settings.chatTemplate());
    }
}
