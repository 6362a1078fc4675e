package dev.luq.requant.pipeline;

import dev.luq.requant.measure.Evaluation;
import dev.luq.requant.quantize.QuantizeListener;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;

/** Progress of a part of a job, and whether the job is cancelled. Handed to whatever does that part. */
final class JobProgress implements Evaluation.Listener, QuantizeListener {

    private final DoubleConsumer listener;
    private final BooleanSupplier cancelled;

    /**
     * @param listener gets the share of this part that is done, 0 to 1
     * @param cancelled whether the work is to end
     */
    JobProgress(DoubleConsumer listener, BooleanSupplier cancelled) {
        this.listener = listener;
        this.cancelled = cancelled;
    }

    /** The part between two shares of this one. */
    JobProgress part(double from, double to) {
        return new JobProgress(share -> listener.accept(from + share * (to - from)), cancelled);
    }

    /** One of several equal parts. */
    JobProgress part(int index, int count) {
        return part((double) index / count, (index + 1.0) / count);
    }

    /**
     * Parts one after the other.
     *
     * @param weights how long each is expected to take, in relation to the others
     */
    List<JobProgress> parts(List<Double> weights) {
        double all = weights.stream().mapToDouble(weight -> weight).sum();
        List<JobProgress> parts = new ArrayList<>();
        double from = 0;
        for (double weight : weights) {
            parts.add(part(from / all, (from + weight) / all));
            from += weight;
        }
        return parts;
    }

    /** For work that takes no part of this one's time. */
    JobProgress unreported() {
        return new JobProgress(share -> {}, cancelled);
    }

    /** @param share of this part that is done, 0 to 1 */
    void report(double share) {
        listener.accept(share);
    }

    @Override
    public void evaluated(double share) {
        report(share);
    }

    @Override
    public void quantized(long done, long total) {
        report(total == 0 ? 1 : (double) done / total);
    }

    @Override
    public boolean cancelled() {
        return cancelled.getAsBoolean();
    }

    /** @throws RequantizationException.Cancelled if so */
    void check() {
        if (cancelled()) {
            throw new RequantizationException.Cancelled();
        }
    }
}
