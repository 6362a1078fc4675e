package dev.luq.benchmarks.scoring;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Circular evaluation of MMBench (arXiv 2307.06281): a question is asked with its options rotated, and counts as right
 * when it is answered right each time. An answer that the rules cannot read is wrong.
 */
public final class CircularScorer implements Scorer {

    private static final String ACCURACY = "accuracy";
    private static final double PERCENT = 100;

    private final Map<String, Group> groups = new HashMap<>();
    private int questions;

    private static final class Group {
        private boolean right = true;
        private String category;
    }

    @Override
    public void add(Reference reference, Answer answer) {
        String letter = reference.answers().get(0);
        if (letter.length() != 1 || letter.charAt(0) < 'A' || letter.charAt(0) >= Options.letter(options(reference))) {
            throw new ScoringException("The right answer " + letter + " of question " + reference.group()
                    + " is none of its options: take the split whose answers are published.");
        }
        Group group = groups.computeIfAbsent(reference.group(), g -> new Group());
        group.category = reference.category();
        group.right &= !answer.refused()
                && Options.infer(answer.text(), reference.options())
                        .filter(option -> option == letter.charAt(0))
                        .isPresent();
        questions++;
    }

    private static int options(Reference reference) {
        return reference.options().size();
    }

    @Override
    public Scores scores() {
        Map<String, List<Group>> categories = new TreeMap<>();
        groups.values().stream().filter(group -> group.category != null).forEach(group -> categories
                .computeIfAbsent(group.category, c -> new ArrayList<>())
                .add(group));
        List<Scores.Metric> metrics = new ArrayList<>();
        metrics.add(metric(ACCURACY, groups.values()));
        categories.forEach((category, members) -> metrics.add(metric(ACCURACY + ": " + category, members)));
        return new Scores(questions, metrics);
    }

    private static Scores.Metric metric(String name, Collection<Group> groups) {
        long right = groups.stream().filter(group -> group.right).count();
        return new Scores.Metric(name, groups.isEmpty() ? 0 : PERCENT * right / groups.size(), groups.size());
    }
}
