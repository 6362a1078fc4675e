package dev.luq.cli;

import dev.luq.luq.plan.ServingShape;
import picocli.CommandLine.Option;

/** How a model will be served, for its memory; the defaults are those of the server. */
final class ServingOptions {

    /** Tokens of context that the server gives a model at most unless it is told otherwise. */
    static final int LONGEST = 8192;
    static final int SLOTS = 4;
    static final int BATCH_SIZE = 128;

    @Option(names = "--context-size", paramLabel = "TOKENS", defaultValue = "8192",
            description = "Tokens of KV cache when served; counts for budgets of the whole deployment (default: ${DEFAULT-VALUE}).")
    private int contextSize;

    @Option(names = "--slots", paramLabel = "N", defaultValue = "4", description = "Sequences at once (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(names = "--batch-size", paramLabel = "TOKENS", defaultValue = "128",
            description = "Tokens of one step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(names = "--threads", paramLabel = "N", defaultValue = "0",
            description = "Compute threads; 0: all processors (default: ${DEFAULT-VALUE}).")
    private int threads;

    /** @param trainingContext tokens that the model was trained for: a larger context is never served */
    ServingShape shape(int trainingContext) {
        return new ServingShape(Math.min(contextSize, trainingContext), batchSize, slots,
                threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    }

    int threads() {
        return threads;
    }
}
