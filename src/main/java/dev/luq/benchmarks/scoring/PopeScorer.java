package dev.luq.benchmarks.scoring;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The scores of POPE (arXiv 2305.10355), where {@code yes} is the positive class: F1, accuracy, precision, recall, and
 * the share of answers that were yes; over all questions and by how the absent things were chosen. A question of
 * several categories, with commas between their names, counts once in each of them and as often in the whole.
 */
public final class PopeScorer implements Scorer {

    private static final Set<String> DENIALS = Set.of("No", "not", "no");
    private static final double PERCENT = 100;

    private final Table all = new Table();
    private final Map<String, Table> categories = new TreeMap<>();

    /** The confusion matrix. */
    private static final class Table {
        private int truePositives;
        private int falsePositives;
        private int trueNegatives;
        private int falseNegatives;

        void add(boolean yes, boolean saidYes) {
            if (saidYes) {
                truePositives += yes ? 1 : 0;
                falsePositives += yes ? 0 : 1;
            } else {
                falseNegatives += yes ? 1 : 0;
                trueNegatives += yes ? 0 : 1;
            }
        }

        int count() {
            return truePositives + falsePositives + trueNegatives + falseNegatives;
        }

        private static double share(double part, double whole) {
            return whole == 0 ? 0 : PERCENT * part / whole;
        }

        List<Scores.Metric> metrics(String suffix) {
            double precision = share(truePositives, truePositives + falsePositives);
            double recall = share(truePositives, truePositives + falseNegatives);
            double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
            return List.of(
                    new Scores.Metric("f1" + suffix, f1, count()),
                    new Scores.Metric("accuracy" + suffix, share(truePositives + trueNegatives, count()), count()),
                    new Scores.Metric("precision" + suffix, precision, count()),
                    new Scores.Metric("recall" + suffix, recall, count()),
                    new Scores.Metric("yes ratio" + suffix, share(truePositives + falsePositives, count()), count()));
        }
    }

    @Override
    public void add(Reference reference, Answer answer) {
        String right = PythonText.strip(PythonText.lower(reference.answers().get(0)));
        if (!right.equals("yes") && !right.equals("no")) {
            throw new ScoringException("A right answer of POPE is neither yes nor no.");
        }
        boolean yes = right.equals("yes");
        // The official evaluation knows no refusals; an empty answer would be a yes.
        boolean saidYes = answer.refused() ? !yes : isYes(answer.text());
        if (reference.category() == null) {
            all.add(yes, saidYes);
            return;
        }
        for (String category : reference.category().split(",")) {
            all.add(yes, saidYes);
            categories.computeIfAbsent(category, c -> new Table()).add(yes, saidYes);
        }
    }

    /** As the official evaluation reads an answer: a denial in the first sentence is a no, all else a yes. */
    static boolean isYes(String answer) {
        int stop = answer.indexOf('.');
        String sentence = stop < 0 ? answer : answer.substring(0, stop);
        return Arrays.stream(sentence.replace(",", "").split(" ")).noneMatch(DENIALS::contains);
    }

    @Override
    public Scores scores() {
        List<Scores.Metric> metrics = new ArrayList<>(all.metrics(""));
        categories.forEach((category, table) -> metrics.addAll(table.metrics(": " + category)));
        return new Scores(all.count(), metrics);
    }
}
