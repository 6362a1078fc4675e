package dev.luq.benchmarks.scoring;

import java.util.List;
import java.util.Optional;

/**
 * The scores of one benchmark.
 *
 * @param questions how many were asked
 * @param metrics the most important one first
 */
public record Scores(int questions, List<Metric> metrics) {

    public Scores {
        metrics = List.copyOf(metrics);
    }

    /**
     * One figure.
     *
     * @param name such as {@code accuracy} or {@code accuracy: OCR}
     * @param value in percent; points for {@code mme}
     * @param count questions or groups that it is the mean of
     */
    public record Metric(String name, double value, int count) {}

    /** The value of a metric. */
    public Optional<Double> value(String name) {
        return metrics.stream()
                .filter(metric -> metric.name().equals(name))
                .map(Metric::value)
                .findFirst();
    }
}
