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
    /** Content, or thoughts. */
    private final StringBuilder text = new StringBuilder();

    private boolean holdsThoughts;
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
    public void toolCall(GenerationEvent.ToolCall toolCall, List<GenerationEvent.TokenLogprob> pieceLogprobs) {
        flush();
        sink.toolCall(toolCall, pieceLogprobs);
    }

    @Override
    public void content(String piece, List<GenerationEvent.TokenLogprob> pieceLogprobs) {
        hold(piece, false, pieceLogprobs);
    }

    @Override
    public void thought(String piece, List<GenerationEvent.TokenLogprob> pieceLogprobs) {
        hold(piece, true, pieceLogprobs);
    }

    private void hold(String piece, boolean thought, List<GenerationEvent.TokenLogprob> pieceLogprobs) {
        if (piece != null) {
            if (thought != holdsThoughts) {
                flush();
                holdsThoughts = thought;
            }
            text.append(piece);
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
        if (text.isEmpty() && logprobs == null) {
            return;
        }
        started = true;
        flushed = clock.getAsLong();
        String held = text.isEmpty() ? null : text.toString();
        List<GenerationEvent.TokenLogprob> heldLogprobs = logprobs;
        text.setLength(0);
        logprobs = null;
        if (holdsThoughts && held != null) {
            sink.thought(held, heldLogprobs);
        } else {
            sink.content(held, heldLogprobs);
        }
    }
}
