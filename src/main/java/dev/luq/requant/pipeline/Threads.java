package dev.luq.requant.pipeline;

import dev.luq.machine.Processors;

/**
 * Compute threads.
 *
 * @param lanes instances of a model that are fed side by side, each with a graph of its own
 * @param graph of llama.cpp's graph of one of several instances. They wait for each other after every operation, busily: in
 *     a small model several take longer than one, and beside other work much longer (a factor of 10 on the demo model and
 *     two busy cores)
 * @param alone of the graph of an instance that is the only one
 * @param slices of work that is cut into independent slices
 */
record Threads(int lanes, int graph, int alone, int slices) {

    private static final long WEIGHTS_PER_GRAPH_THREAD = 50_000_000;
    /** Each has a context of its own: 32 MiB of KV cache on the demo model. */
    private static final int MOST_LANES = 8;
    /** Of all instances: each holds what our kernels make of its weights. */
    private static final long WEIGHTS_OF_LANES = 4_000_000_000L;

    /**
     * @param wanted in all; 0: as many as there are processors
     * @param parameters weights of the model
     */
    static Threads of(int wanted, long parameters) {
        int all = Processors.threads(wanted);
        long useful = 1 + parameters / WEIGHTS_PER_GRAPH_THREAD;
        long room = Math.max(1, WEIGHTS_OF_LANES / Math.max(1, parameters));
        int lanes = (int) Math.min(Math.min(MOST_LANES, all), room);
        return new Threads(lanes, (int) Math.min(all / lanes, useful), (int) Math.min(all, useful), all);
    }
}
