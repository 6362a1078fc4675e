package dev.luq.engine;

/**
 * The sequence that a request gets, and the one whose prefix it reuses: the first units of source are shared with target,
 * which may be the same sequence.
 *
 * @param cells of these units
 * @param positions of these units
 */
record SequenceSelection(int source, int target, int units, int cells, int positions) {

    /**
     * By rule 4 of {@link Scheduler}.
     *
     * @param cache with at least one idle sequence
     * @param cuts whether the model's memory can keep a part of a sequence
     * @param window of the model
     */
    static SequenceSelection of(Request r, KvCache cache, boolean cuts, Window window) {
        int source = -1;
        int units = 0;
        for (int s = 0; r.reuse && s < cache.sequences(); s++) {
            int common = Math.min(cache.common(s, r.prompt), r.prompt.units().size() - 1);
            if (!cuts && (cache.isActive(s) || common < cache.length(s))) {
                continue;
            }
            boolean better = common > units || common > 0 && common == units && losesLess(cache, s, source);
            if (better && goesOn(r, cache, s, common, window)) {
                source = s;
                units = common;
            }
        }
        int cells = r.prompt.cells(units);
        int other = cache.leastRecentlyUsed(source).orElse(source);
        boolean inPlace =
                source >= 0 && !cache.isActive(source) && (2 * cells >= cache.cells(source) || other == source);
        int target = inPlace ? source : other;
        return new SequenceSelection(source < 0 ? target : source, target, units, cells, r.prompt.positions(units));
    }

    /** Whether the request can go on behind the first units of a sequence. */
    private static boolean goesOn(Request r, KvCache cache, int sequence, int units, Window window) {
        boolean atItsEnd = !cache.isActive(sequence) && units == cache.length(sequence);
        return atItsEnd || window.reaches(sequence, r.prompt.positions(units));
    }

    /** Of two sequences with the same prefix: an idle one before a running one, then the one with the shorter rest. */
    private static boolean losesLess(KvCache cache, int a, int b) {
        return cache.isActive(a) == cache.isActive(b) ? cache.cells(a) < cache.cells(b) : !cache.isActive(a);
    }
}
