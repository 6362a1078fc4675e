package dev.luq.benchmarks.scoring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The scores of MME (arXiv 2306.13394): a category has the percentage of right answers and that of pictures of which
 * both questions were answered right, added up; perception is the sum of ten categories, cognition of four.
 */
public final class MmeScorer implements Scorer {

    /** Metrics of the whole. */
    public static final String PERCEPTION = "perception";

    public static final String COGNITION = "cognition";

    private static final List<String> PERCEPTIONS = List.of(
            "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR");
    private static final List<String> COGNITIONS =
            List.of("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning");
    private static final Set<String> CLEAR = Set.of("yes", "no");
    private static final int QUESTIONS_OF_A_PICTURE = 2;
    private static final double PERCENT = 100;
    /** Where a longer answer says it. */
    private static final int BEGINNING = 4;

    private final Map<String, Map<String, Picture>> categories = new HashMap<>();
    private int questions;

    private static final class Picture {
        private int asked;
        private int right;
    }

    /** All fourteen. */
    public static List<String> categories() {
        return Stream.concat(PERCEPTIONS.stream(), COGNITIONS.stream()).toList();
    }

    @Override
    public void add(Reference reference, Answer answer) {
        String category = reference.category();
        if (!categories().contains(category)) {
            throw new ScoringException("MME has no category " + category + ".");
        }
        String right = reading(reference.answers().get(0));
        if (!CLEAR.contains(right)) {
            throw new ScoringException(
                    "The right answer about " + reference.group() + " of " + category + " is neither yes nor no.");
        }
        Picture picture = categories
                .computeIfAbsent(category, c -> new HashMap<>())
                .computeIfAbsent(reference.group(), g -> new Picture());
        picture.asked++;
        picture.right += !answer.refused() && right.equals(reading(answer.text())) ? 1 : 0;
        questions++;
    }

    /** As lmms-eval reads an answer: the word alone, its first letter alone, or the word within the first letters. */
    static String reading(String answer) {
        String text = PythonText.strip(PythonText.lower(answer)).replace(".", "");
        if (CLEAR.contains(text)) {
            return text;
        }
        if (PythonText.length(text) == 1) {
            return text.equals("y") ? "yes" : text.equals("n") ? "no" : "other";
        }
        String start = text.substring(0, text.offsetByCodePoints(0, Math.min(BEGINNING, PythonText.length(text))));
        return start.contains("yes") ? "yes" : start.contains("no") ? "no" : "other";
    }

    @Override
    public Scores scores() {
        List<Scores.Metric> metrics = new ArrayList<>();
        metrics.add(sum(PERCEPTION, PERCEPTIONS));
        metrics.add(sum(COGNITION, COGNITIONS));
        categories().stream()
                .filter(categories::containsKey)
                .map(this::category)
                .forEach(metrics::add);
        return new Scores(questions, metrics);
    }

    private Scores.Metric sum(String name, List<String> names) {
        List<Scores.Metric> parts = names.stream()
                .filter(categories::containsKey)
                .map(this::category)
                .toList();
        return new Scores.Metric(
                name,
                parts.stream().mapToDouble(Scores.Metric::value).sum(),
                parts.stream().mapToInt(Scores.Metric::count).sum());
    }

    private Scores.Metric category(String name) {
        Map<String, Picture> pictures = categories.get(name);
        double points = 0;
        for (Map.Entry<String, Picture> entry : pictures.entrySet()) {
            Picture picture = entry.getValue();
            if (picture.asked != QUESTIONS_OF_A_PICTURE) {
                throw new ScoringException("MME asks two questions about each picture; " + entry.getKey() + " of "
                        + name + " has " + picture.asked + ": complete the data.");
            }
            points += PERCENT * picture.right / picture.asked;
            points += picture.right == picture.asked ? PERCENT : 0;
        }
        return new Scores.Metric(name, points / pictures.size(), pictures.size());
    }
}
