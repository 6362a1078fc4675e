package dev.luq.serving;

import dev.luq.protocol.WorkerFrame.EngineStats;

/** Sums of statistics. */
final class Totals {

    static final EngineStats NONE = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private Totals() {}

    static EngineStats sum(EngineStats a, EngineStats b) {
        return new EngineStats(
                a.waiting() + b.waiting(),
                a.running() + b.running(),
                a.kvCellsUsed() + b.kvCellsUsed(),
                a.kvCells() + b.kvCells(),
                a.promptTokens() + b.promptTokens(),
                a.generationTokens() + b.generationTokens(),
                a.prefixQueries() + b.prefixQueries(),
                a.prefixHits() + b.prefixHits(),
                a.imageQueries() + b.imageQueries(),
                a.imageHits() + b.imageHits(),
                a.imageFileQueries() + b.imageFileQueries(),
                a.imageFileHits() + b.imageFileHits(),
                a.promptFileQueries() + b.promptFileQueries(),
                a.promptFileHits() + b.promptFileHits(),
                a.imagesEncoded() + b.imagesEncoded(),
                a.imageEncodeMillis() + b.imageEncodeMillis(),
                a.imageTokens() + b.imageTokens(),
                a.cancelled() + b.cancelled(),
                a.promptCacheBytes() + b.promptCacheBytes(),
                a.promptCacheHits() + b.promptCacheHits(),
                a.promptCacheEvictions() + b.promptCacheEvictions());
    }

    /** What remains of a process that is gone: its counters. */
    static EngineStats counters(EngineStats s) {
        return new EngineStats(
                0,
                0,
                0,
                0,
                s.promptTokens(),
                s.generationTokens(),
                s.prefixQueries(),
                s.prefixHits(),
                s.imageQueries(),
                s.imageHits(),
                s.imageFileQueries(),
                s.imageFileHits(),
                s.promptFileQueries(),
                s.promptFileHits(),
                s.imagesEncoded(),
                s.imageEncodeMillis(),
                s.imageTokens(),
                s.cancelled(),
                0,
                s.promptCacheHits(),
                s.promptCacheEvictions());
    }
}
