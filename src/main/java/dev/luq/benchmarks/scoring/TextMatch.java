package dev.luq.benchmarks.scoring;

import java.util.Locale;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/** Scores of short answers, each from 0 to 1. */
public final class TextMatch {

    /** Of the ANLS: below it an answer counts as wrong. */
    private static final double LEAST_SIMILARITY = 0.5;
    /** A number may be off by this share (arXiv 2203.10244, section 5.1). */
    private static final double MOST_RELATIVE_CHANGE = 0.05;

    private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");

    private TextMatch() {}

    /** Of GQA: equal but for case and punctuation. */
    public static double exact(Reference reference, Answer answer) {
        return plain(reference.answers().get(0)).equals(plain(answer.text())) ? 1 : 0;
    }

    private static String plain(String text) {
        return PUNCTUATION.matcher(PythonText.lower(text)).replaceAll("");
    }

    /**
     * Average normalized Levenshtein similarity of one answer, as for DocVQA (arXiv 1907.00490): one minus the edit
     * distance per character to the nearest right answer; zero below a half. The length is that of the texts before
     * their white space was joined, as in the official evaluation.
     */
    public static double anls(Reference reference, Answer answer) {
        double nearest = reference.answers().stream()
                .mapToDouble(right -> distance(right, answer.text()))
                .min()
                .orElse(1);
        return 1 - nearest < LEAST_SIMILARITY ? 0 : 1 - nearest;
    }

    private static double distance(String right, String said) {
        int length = Math.max(length(right), length(said));
        return length == 0 ? 0 : EditDistance.of(joined(right), joined(said)) / (double) length;
    }

    private static String joined(String text) {
        return String.join(" ", PythonText.words(PythonText.lower(text)));
    }

    /** Of the text in capitals: some letters become two. */
    private static int length(String text) {
        return PythonText.length(text.toUpperCase(Locale.ROOT));
    }

    /** Relaxed accuracy of ChartQA: a number within 5 % of the right one, other texts equal but for case. */
    public static double relaxed(Reference reference, Answer answer) {
        return reference.answers().stream().anyMatch(right -> isNear(right, answer.text())) ? 1 : 0;
    }

    private static boolean isNear(String right, String said) {
        OptionalDouble target = number(right);
        OptionalDouble value = number(said);
        if (value.isPresent() && target.isPresent() && target.getAsDouble() != 0) {
            return Math.abs(value.getAsDouble() - target.getAsDouble()) / Math.abs(target.getAsDouble())
                    <= MOST_RELATIVE_CHANGE;
        }
        return PythonText.lower(right).equals(PythonText.lower(said));
    }

    private static OptionalDouble number(String text) {
        if (!text.endsWith("%")) {
            return PythonNumber.parseFloat(text);
        }
        OptionalDouble percent = PythonNumber.parseFloat(text.replaceAll("%+$", ""));
        return percent.isPresent() ? OptionalDouble.of(percent.getAsDouble() / 100) : percent;
    }
}
