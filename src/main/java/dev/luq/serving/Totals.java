package dev.luq.serving;

import dev.luq.protocol.WorkerFrame.EngineStats;

/** Sums of statistics. */
public final class Totals {

    public static final EngineStats NONE =
            new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private Totals() {}

    public static EngineStats sum(EngineStats a, EngineStats b) {
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
                a.draftedTokens() + b.draftedTokens(),
                a.acceptedTokens() + b.acceptedTokens(),
                a.drafts() + b.drafts(),
                a.promptCacheBytes() + b.promptCacheBytes(),
                a.promptCacheHits() + b.promptCacheHits(),
                a.promptCacheEvictions() + b.promptCacheEvictions(),
                a.evaluatedTokens() + b.evaluatedTokens(),
                a.promptMillis() + b.promptMillis(),
                a.generationMillis() + b.generationMillis(),
                a.decodes() + b.decodes(),
                a.decodedSequences() + b.decodedSequences(),
                Math.max(a.longestSequence(), b.longestSequence()));
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
                s.draftedTokens(),
                s.acceptedTokens(),
                s.drafts(),
                0,
                s.promptCacheHits(),
                s.promptCacheEvictions(),
                s.evaluatedTokens(),
                s.promptMillis(),
                s.generationMillis(),
                s.decodes(),
                s.decodedSequences(),
                s.longestSequence());
    }
}
