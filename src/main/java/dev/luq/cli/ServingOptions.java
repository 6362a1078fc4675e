package dev.luq.cli;

import dev.luq.gguf.ModelFacts;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.machine.Processors;
import dev.luq.memory.ServingShape;
import dev.luq.protocol.ServerFrame.Load;
import picocli.CommandLine.Option;

/** How a model will be served, for its memory; the defaults are those of the server. */
public final class ServingOptions {

    public static final int SLOTS = 4;
    public static final int BATCH_SIZE = 128;
    static final int IMAGE_TOKENS = 1280;

    @Option(
            names = "--context-size",
            paramLabel = "TOKENS",
            defaultValue = "" + Load.DEFAULT_CONTEXT,
            description = "Tokens of KV cache when served; counts for budgets of the whole deployment"
                    + " (default: ${DEFAULT-VALUE}).")
    private int contextSize;

    @Option(
            names = "--slots",
            paramLabel = "N",
            defaultValue = "" + SLOTS,
            description = "Sequences at once (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(
            names = "--batch-size",
            paramLabel = "TOKENS",
            defaultValue = "" + BATCH_SIZE,
            description = "Tokens of one step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Compute threads; 0: all processors (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--image-tokens",
            paramLabel = "N",
            defaultValue = "" + IMAGE_TOKENS,
            description = "Tokens of the largest picture, luq.worker.image-max-tokens; 0: the model's own bound"
                    + " (default: ${DEFAULT-VALUE}).")
    private int imageTokens;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            defaultValue = "fast",
            description = "What multiplies the weights: fast, compact or stock; decides how they lie in memory"
                    + " (default: ${DEFAULT-VALUE}).")
    private Kernels kernels;

    @Option(
            names = "--kv-cache-type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            description = "Number format of the KV cache, luq.worker.kv-cache-type: f16, q8_0 or f32"
                    + " (default: ${DEFAULT-VALUE}).")
    private KvType kv;

    @Option(
            names = "--prompt-cache-bytes",
            paramLabel = "BYTES",
            defaultValue = "0",
            description =
                    "Memory for prompts beyond the slots, luq.worker.prompt-cache-bytes (default: ${DEFAULT-VALUE}).")
    private long promptCacheBytes;

    @Option(
            names = "--draft-tokens",
            paramLabel = "N",
            defaultValue = "0",
            description = "Tokens that one step drafts, luq.worker.draft-tokens where luq.worker.speculation is ngram"
                    + " (default: ${DEFAULT-VALUE}).")
    private int draftTokens;

    /** @param model a context larger than the one that it was trained for is never served */
    public ServingShape shape(ModelFacts model) {
        int context = (int) Math.min(contextSize, model.contextLength().orElse(Load.DEFAULT_CONTEXT));
        return new ServingShape(
                context,
                batchSize,
                slots,
                Processors.threads(threads),
                ServingShape.imageTokens(imageTokens, context),
                kernels,
                kv,
                promptCacheBytes,
                slots + Load.draftTokens(draftTokens, slots, batchSize));
    }

    public int threads() {
        return threads;
    }
}
