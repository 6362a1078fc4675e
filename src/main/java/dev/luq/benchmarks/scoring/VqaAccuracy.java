package dev.luq.benchmarks.scoring;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The accuracy of the VQA evaluation: an answer is right when three of the other nine people gave it, averaged over
 * which of the ten is left out ({@code min(1, matches / 3)}; visualqa.org/evaluation.html).
 */
public final class VqaAccuracy {

    private static final double ENOUGH = 3;

    private VqaAccuracy() {}

    /** By answers of EvalAI's processor. */
    public static double textVqa(Reference reference, Answer answer) {
        return accuracy(reference, answer, VqaText::normalizeForEvalAi);
    }

    /** By answers of the official evaluation. */
    public static double vqaV2(Reference reference, Answer answer) {
        return accuracy(reference, answer, VqaText::normalize);
    }

    private static double accuracy(Reference reference, Answer answer, UnaryOperator<String> form) {
        String said = form.apply(answer.text());
        List<Boolean> matches = reference.answers().stream()
                .map(right -> form.apply(right).equals(said))
                .toList();
        long all = matches.stream().filter(match -> match).count();
        return matches.stream()
                .mapToDouble(match -> Math.min(1, (all - (match ? 1 : 0)) / ENOUGH))
                .average()
                .orElse(0);
    }
}
