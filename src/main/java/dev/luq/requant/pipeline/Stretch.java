package dev.luq.requant.pipeline;

import dev.luq.requant.measure.Evaluation;
import dev.luq.requant.quantize.Progress;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;

/** A stretch of a job's progress, handed to whoever does that work. */
final class Stretch implements Evaluation.Watcher, Progress {

    private final DoubleConsumer progress;
    private final BooleanSupplier cancelled;

    /**
     * @param progress gets shares of this stretch, 0 to 1
     * @param cancelled whether the work is to end
     */
    Stretch(DoubleConsumer progress, BooleanSupplier cancelled) {
        this.progress = progress;
        this.cancelled = cancelled;
    }

    /** A part of this stretch. */
    Stretch part(double from, double to) {
        return new Stretch(share -> progress.accept(from + share * (to - from)), cancelled);
    }

    /** One of several equal parts. */
    Stretch part(int index, int count) {
        return part((double) index / count, (index + 1.0) / count);
    }

    @Override
    public void progress(double share) {
        progress.accept(share);
    }

    @Override
    public void quantized(long done, long total) {
        progress.accept(total == 0 ? 1 : (double) done / total);
    }

    @Override
    public boolean cancelled() {
        return cancelled.getAsBoolean();
    }

    /** @throws JobException.Cancelled if so */
    void check() {
        if (cancelled()) {
            throw new JobException.Cancelled();
        }
    }
}
