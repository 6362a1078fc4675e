package dev.luq.benchmarks.scoring;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleBiFunction;

/** The mean of a score from 0 to 1, over all questions and by category. */
public final class MeanScorer implements Scorer {

    private static final double PERCENT = 100;

    private final String name;
    private final ToDoubleBiFunction<Reference, Answer> score;
    private final Mean all = new Mean();
    private final Map<String, Mean> categories = new TreeMap<>();

    /** @param name of the metric */
    public MeanScorer(String name, ToDoubleBiFunction<Reference, Answer> score) {
        this.name = name;
        this.score = score;
    }

    private static final class Mean {
        private double sum;
        private int count;

        void add(double value) {
            sum += value;
            count++;
        }

        Scores.Metric metric(String name) {
            return new Scores.Metric(name, count == 0 ? 0 : PERCENT * sum / count, count);
        }
    }

    @Override
    public void add(Reference reference, Answer answer) {
        if (reference.answers().isEmpty()) {
            throw new ScoringException("A question has no right answer: take the split whose answers are published.");
        }
        // For a refused one too: it finds faults of the reference.
        double given = score.applyAsDouble(reference, answer);
        double value = answer.refused() ? 0 : given;
        all.add(value);
        if (reference.category() != null) {
            categories.computeIfAbsent(reference.category(), c -> new Mean()).add(value);
        }
    }

    @Override
    public Scores scores() {
        List<Scores.Metric> metrics = new ArrayList<>();
        metrics.add(all.metric(name));
        categories.forEach((category, mean) -> metrics.add(mean.metric(name + ": " + category)));
        return new Scores(all.count, metrics);
    }
}
