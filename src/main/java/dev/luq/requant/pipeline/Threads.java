package dev.luq.requant.pipeline;

import dev.luq.machine.Processors;

/**
 * Compute threads.
 *
 * @param graph of llama.cpp's graphs. They wait for each other after every operation, busily: in a small model several
 *     take longer than one, and much longer beside other work (a factor of 10 on the demo model and two busy cores)
 * @param slices of work that is cut into independent slices; not fewer than those of a graph
 */
record Threads(int graph, int slices) {

    private static final long WEIGHTS_PER_GRAPH_THREAD = 50_000_000;
    /** Each has a context of its own: 32 MiB of KV cache on the demo model. */
    private static final int MOST_LANES = 8;

    /**
     * @param wanted in all; 0: as many as there are processors
     * @param parameters weights of the model
     */
    static Threads of(int wanted, long parameters) {
        int all = Processors.threads(wanted);
        return new Threads((int) Math.min(all, 1 + parameters / WEIGHTS_PER_GRAPH_THREAD), all);
    }

    /** Graphs that are computed side by side. */
    int lanes() {
        return Math.min(MOST_LANES, slices / graph);
    }
}
