package dev.luq.requant.speed;

import java.util.ArrayList;
import java.util.List;

/**
 * What tokens of some models took, and what their matrices were expected to take. Of that a straight line is made: a time
 * that every model takes, for all that is not weights, and a factor for the expectation. Not thread-safe.
 */
public final class MeasuredTimes {

    /** How far kernels in a model are from those tried alone, relatively: a standard deviation. */
    private static final double FACTOR = 0.2;
    /** What it is at least: two models that something else slowed could show anything. */
    private static final double LEAST_FACTOR = 0.5;
    /** How far two measurements of one model are from each other, relatively. */
    private static final double NOISE = 0.02;

    private record Time(double expected, double measured) {}

    /**
     * How long tokens take.
     *
     * @param fixed seconds, 0 or more
     * @param factor of what is expected of matrices, more than 0
     */
    public record Line(double fixed, double factor) {}

    private final List<Time> times = new ArrayList<>();

    /**
     * @param expected seconds by {@link TokenTimes}, more than 0
     * @param measured seconds
     */
    public void add(double expected, double measured) {
        if (!(expected > 0) || !(measured > 0)) {
            throw new IllegalArgumentException("times are more than 0: " + expected + ", " + measured);
        }
        times.add(new Time(expected, measured));
    }

    /**
     * The line by least squares, errors relative to what was measured; the factor is taken to be about 1 beforehand, so that
     * of one model all that it took longer is fixed. A fixed time below 0 is none.
     */
    public Line line() {
        if (times.isEmpty()) {
            return new Line(0, 1);
        }
        double belief = 1 / (FACTOR * FACTOR);
        double weights = 0;
        double sum = 0;
        double squares = belief;
        double measured = 0;
        double products = belief;
        for (Time time : times) {
            double weight = 1 / Math.pow(NOISE * time.measured(), 2);
            weights += weight;
            sum += weight * time.expected();
            squares += weight * time.expected() * time.expected();
            measured += weight * time.measured();
            products += weight * time.expected() * time.measured();
        }
        double slope = (products * weights - sum * measured) / (squares * weights - sum * sum);
        double factor = Math.max(LEAST_FACTOR, slope);
        double fixed = (measured - factor * sum) / weights;
        return fixed >= 0 ? new Line(fixed, factor) : new Line(0, products / squares);
    }
}
