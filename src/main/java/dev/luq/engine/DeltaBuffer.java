package dev.luq.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Joins deltas that come in quick succession: each one costs worker, server and client a wake-up on the cores that
 * compute. The first delta is not held back, nor are tool calls. For one thread.
 */
final class DeltaBuffer implements OutputProcessor.Sink {

    private final OutputProcessor.Sink sink;
    private final long interval;
    private final LongSupplier clock;
    private final StringBuilder content = new StringBuilder();
    private List<GenerationEvent.TokenLogprob> logprobs;
    private boolean started;
    private long flushed;

    /**
     * @param interval nanoseconds between two deltas, at least
     * @param clock nanoseconds
     */
    DeltaBuffer(OutputProcessor.Sink sink, long interval, LongSupplier clock) {
        this.sink = sink;
        this.interval = interval;
        this.clock = clock;
    }

    @Override
    public void delta(
            String piece, GenerationEvent.ToolCall toolCall, List<GenerationEvent.TokenLogprob> pieceLogprobs) {
        if (toolCall != null) {
            flush();
            sink.delta(null, toolCall, pieceLogprobs);
            return;
        }
        if (piece != null) {
            content.append(piece);
        }
        if (pieceLogprobs != null) {
            logprobs = logprobs == null ? new ArrayList<>() : logprobs;
            logprobs.addAll(pieceLogprobs);
        }
        if (!started || clock.getAsLong() - flushed >= interval) {
            flush();
        }
    }

    /** Streams what is held back. */
    void flush() {
        if (content.isEmpty() && logprobs == null) {
            return;
        }
        started = true;
        flushed = clock.getAsLong();
        String text = content.isEmpty() ? null : content.toString();
        List<GenerationEvent.TokenLogprob> held = logprobs;
        content.setLength(0);
        logprobs = null;
        sink.delta(text, null, held);
    }
}
