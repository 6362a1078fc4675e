package dev.luq.requant.pipeline;

import dev.luq.requant.spec.Phase;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * How far a job is and how long it may take, from expected weights of its phases and the time they take. What turns out to
 * be done already, a phase or a part of one, takes no time and teaches nothing about the rest: the later half of the time
 * that a phase has taken counts. Not thread-safe.
 */
final class ProgressMeter {

    private static final double LEAST_SHARE = 0.02;
    private static final double LEAST_SECONDS = 0.5;

    /** How far the phase at work was at a time. */
    private record Sample(double elapsed, double share) {}

    private static final Sample BEGIN = new Sample(0, 0);

    private final LongSupplier nanoTime;
    private final Map<Phase, Double> weights;
    private final Map<Phase, Double> seconds = new EnumMap<>(Phase.class);
    private final double totalWeight;
    private final Set<Phase> ownPace;
    private Phase phase;
    private double share;
    private double before;
    /** Seconds of the phases before that have the job's pace. */
    private double spent;

    private long begun;
    /** The first one is the latest that is at least half of the time ago. */
    private final Deque<Sample> samples = new ArrayDeque<>();

    /**
     * @param weights expected durations in relation to each other; phases without one do not happen
     * @param earlier seconds that earlier runs of the job spent
     * @param ownPace phases that take as long as they were told to: of others their pace says nothing
     */
    ProgressMeter(Map<Phase, Double> weights, Map<Phase, Double> earlier, Set<Phase> ownPace, LongSupplier nanoTime) {
        this.ownPace = ownPace;
        this.weights = new EnumMap<>(weights);
        this.nanoTime = nanoTime;
        this.totalWeight = weights.values().stream().mapToDouble(w -> w).sum();
        seconds.putAll(earlier);
    }

    /** Ends the phase at work and begins another. */
    void begin(Phase next) {
        finish();
        phase = next;
        share = 0;
        begun = nanoTime.getAsLong();
        samples.clear();
        samples.add(BEGIN);
    }

    /** Ends the phase at work. */
    void finish() {
        if (phase != null) {
            seconds.merge(phase, elapsed(), Double::sum);
            spent += ownPace.contains(phase) ? 0 : elapsed();
            before += weight(phase);
            phase = null;
            share = 0;
        }
    }

    /** @param share of the phase at work, 0 to 1; never falls */
    void progress(double share) {
        this.share = Math.max(this.share, Math.min(1, share));
        double elapsed = elapsed();
        if (elapsed - samples.getLast().elapsed() >= LEAST_SECONDS) {
            samples.add(new Sample(elapsed, this.share));
        }
    }

    /** Of the whole job, 0 to 1. */
    double overall() {
        double done = before + (phase == null ? 0 : share * weight(phase));
        return Math.min(1, done / totalWeight);
    }

    /** Empty as long as nothing is known. */
    OptionalLong secondsLeft() {
        if (phase == null || share < LEAST_SHARE || elapsed() < LEAST_SECONDS) {
            return OptionalLong.empty();
        }
        double elapsed = elapsed();
        Sample from = halfAgo(elapsed);
        if (share <= from.share()) {
            from = BEGIN;
        }
        double perShare = (elapsed - from.elapsed()) / (share - from.share());
        double after = Math.max(0, totalWeight - before - weight(phase));
        double perWeight = !ownPace.contains(phase) ? perShare / weight(phase) : before == 0 ? 0 : spent / before;
        return OptionalLong.of(Math.round((1 - share) * perShare + after * perWeight));
    }

    private Sample halfAgo(double elapsed) {
        Sample from = samples.removeFirst();
        while (!samples.isEmpty() && samples.getFirst().elapsed() <= elapsed / 2) {
            from = samples.removeFirst();
        }
        samples.addFirst(from);
        return from;
    }

    /** Spent so far per phase, the one at work included. */
    Map<Phase, Double> seconds() {
        Map<Phase, Double> all = new TreeMap<>(seconds);
        if (phase != null) {
            all.merge(phase, elapsed(), Double::sum);
        }
        all.replaceAll((p, s) -> Math.round(s * 1000) / 1000.0);
        return all;
    }

    private double weight(Phase phase) {
        return weights.getOrDefault(phase, 0.0);
    }

    private double elapsed() {
        return (nanoTime.getAsLong() - begun) / 1e9;
    }
}
