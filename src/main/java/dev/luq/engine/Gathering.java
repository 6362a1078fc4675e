package dev.luq.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Passes the pieces of an answer on, those that come in quick succession as one: each piece costs the worker, the
 * server and the client a wake-up, on the cores that compute, and nobody reads fifty pieces a second. The first piece
 * is never kept back, nor is a tool call. For one thread.
 */
final class Gathering implements Answer.Sink {

    private final Answer.Sink sink;
    private final long interval;
    private final LongSupplier clock;
    private final StringBuilder content = new StringBuilder();
    private List<GenerationEvent.TokenLogprob> logprobs;
    private boolean begun;
    private long passedOn;

    /**
     * @param interval text goes on when the piece before it did so at least this long ago, in nanoseconds
     * @param clock nanoseconds
     */
    Gathering(Answer.Sink sink, long interval, LongSupplier clock) {
        this.sink = sink;
        this.interval = interval;
        this.clock = clock;
    }

    @Override
    public void delta(String piece, GenerationEvent.ToolCall toolCall, List<GenerationEvent.TokenLogprob> itsLogprobs) {
        if (toolCall != null) {
            passOn();
            sink.delta(null, toolCall, itsLogprobs);
            return;
        }
        if (piece != null) {
            content.append(piece);
        }
        if (itsLogprobs != null) {
            logprobs = logprobs == null ? new ArrayList<>() : logprobs;
            logprobs.addAll(itsLogprobs);
        }
        if (!begun || clock.getAsLong() - passedOn >= interval) {
            passOn();
        }
    }

    /** Passes on what was kept back. */
    void passOn() {
        if (content.isEmpty() && logprobs == null) {
            return;
        }
        begun = true;
        passedOn = clock.getAsLong();
        String text = content.isEmpty() ? null : content.toString();
        List<GenerationEvent.TokenLogprob> theirs = logprobs;
        content.setLength(0);
        logprobs = null;
        sink.delta(text, null, theirs);
    }
}
