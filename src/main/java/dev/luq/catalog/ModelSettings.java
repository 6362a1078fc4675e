package dev.luq.catalog;

import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.ModelDefaults;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What one model's configuration says of it beside its files. What is empty is as for all models.
 *
 * @param load when it is loaded
 * @param pinned whether it never goes for another one; empty: a model that is loaded at the start does not
 * @param keepAlive how long it stays after its last request; empty: see {@link #keepsAlive}
 * @param kernels what multiplies its weights
 * @param kvCacheType number format of its KV cache
 * @param contextSize tokens of KV cache shared by its slots, 0 or more
 * @param slotContextSize of these, how many one request may take; 0 for all
 * @param slots sequences decoded at once, 1 or more
 * @param imageMaxTokens upper bound of one image's tokens, 0 or more
 * @param pooling how it makes embeddings; empty: as its file says
 * @param chatTemplate in place of the model's own: a Jinja program, or the name of one of llama.cpp's
 * @param tags that are told of it
 * @param defaults what requests get that say nothing
 */
public record ModelSettings(
        LoadPolicy load,
        Optional<Boolean> pinned,
        Optional<KeepAlive> keepAlive,
        Optional<Kernels> kernels,
        Optional<KvType> kvCacheType,
        OptionalInt contextSize,
        OptionalInt slotContextSize,
        OptionalInt slots,
        OptionalInt imageMaxTokens,
        Optional<Pooling> pooling,
        Optional<String> chatTemplate,
        List<String> tags,
        ModelDefaults defaults) {

    /** Of a model whose configuration says nothing. */
    public static final ModelSettings NONE = of(LoadPolicy.START, Optional.empty(), Optional.empty(), Optional.empty());

    /** Ollama's default too. */
    private static final KeepAlive USUAL = new KeepAlive(Duration.ofMinutes(5));

    /** The settings that a model may be registered with. */
    public static ModelSettings of(
            LoadPolicy load, Optional<Boolean> pinned, Optional<KeepAlive> keepAlive, Optional<Kernels> kernels) {
        return new ModelSettings(
                load,
                pinned,
                keepAlive,
                kernels,
                Optional.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                ModelDefaults.NONE);
    }

    /** Whether it never goes for another model. */
    public boolean isPinned() {
        return pinned.orElse(load == LoadPolicy.START);
    }

    /**
     * How long it stays after its last request: for ever when it is loaded at the start or pinned, unless it says
     * otherwise.
     */
    public KeepAlive keepsAlive() {
        return keepAlive.orElse(load == LoadPolicy.START || isPinned() ? KeepAlive.NEVER : USUAL);
    }
}
