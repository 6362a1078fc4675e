package dev.luq.benchmarks.scoring;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and compares answers to MathVista (arXiv 2310.02255). Its evaluation lets a language model find the answer in
 * whatever its few rules cannot read; here these rules come first, with those of VLMEvalKit for the letters of options,
 * and a judge is asked for the rest if there is one. Without a judge the rest counts as wrong.
 */
public final class MathVista {

    /** Kinds of questions: {@link Reference#kind}. */
    public static final String MULTI_CHOICE = "multi_choice";

    public static final String INTEGER = "integer";
    public static final String FLOAT = "float";
    public static final String LIST = "list";

    /** Decimal places of an answer at most: those that a double tells apart. */
    private static final int MOST_PLACES = 15;

    private static final Pattern QUOTED = Pattern.compile("The answer is \"(.*)\"\\.");
    private static final Pattern LETTER_IN_BRACKETS = Pattern.compile("\\(([a-zA-Z])\\)");
    private static final Pattern BRACKETS = Pattern.compile("\\[.*]");

    private MathVista() {}

    /** The answer in a response; empty when the rules find none. */
    public static Optional<String> extract(Reference reference, String response) {
        if (response.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> whole =
                switch (reference.kind()) {
                    case MULTI_CHOICE ->
                        Optional.of(response).filter(text -> reference.options().contains(text));
                    case INTEGER -> PythonNumber.parseInt(response).map(Object::toString);
                    case FLOAT -> text(PythonNumber.parseFloat(response));
                    case LIST ->
                        Optional.of(response)
                                .filter(text -> BRACKETS.matcher(text).matches());
                    default -> throw unknown(reference.kind());
                };
        return whole.or(() -> quoted(response)).or(() -> option(reference, response));
    }

    private static Optional<String> text(OptionalDouble value) {
        return value.isPresent() ? Optional.of(PythonNumber.text(value.getAsDouble())) : Optional.empty();
    }

    private static Optional<String> quoted(String response) {
        Matcher quoted = QUOTED.matcher(response);
        return quoted.find() ? Optional.of(quoted.group(1)) : Optional.empty();
    }

    private static Optional<String> option(Reference reference, String response) {
        return reference.kind().equals(MULTI_CHOICE)
                ? Options.infer(response, reference.options())
                        .filter(letter -> letter != Options.NONE)
                        .map(Object::toString)
                : Optional.empty();
    }

    /**
     * 1 for a right answer, 0 for a wrong one or one that nobody could read.
     *
     * @throws ScoringException the reference is of no kind, or lacks what its kind needs
     */
    public static double score(Reference reference, Answer answer) {
        require(reference);
        return extract(reference, answer.text())
                .or(answer::judged)
                .flatMap(extraction -> normalize(reference, extraction))
                .filter(value -> PythonText.strip(value)
                        .equals(PythonText.strip(reference.answers().get(0))))
                .map(right -> 1.0)
                .orElse(0.0);
    }

    private static void require(Reference reference) {
        switch (String.valueOf(reference.kind())) {
            case MULTI_CHOICE -> {
                if (reference.options().isEmpty()) {
                    throw new ScoringException("A question of MathVista is of kind multi_choice and has no choices.");
                }
            }
            case FLOAT -> {
                Integer precision = reference.precision();
                if (precision == null || precision < 0 || precision > MOST_PLACES) {
                    throw new ScoringException("A question of MathVista has answers of kind float and precision "
                            + precision + "; it is from 0 to " + MOST_PLACES + ".");
                }
            }
            case INTEGER, LIST -> {}
            default -> throw unknown(reference.kind());
        }
    }

    private static ScoringException unknown(String kind) {
        return new ScoringException("MathVista has no questions of kind " + kind + ".");
    }

    /** An extraction in the form of the right answers; empty when it is no number where one is asked for. */
    static Optional<String> normalize(Reference reference, String extraction) {
        return switch (reference.kind()) {
            case MULTI_CHOICE -> Optional.of(choice(reference.options(), PythonText.strip(extraction)));
            case INTEGER -> finite(extraction).flatMap(PythonNumber::truncate).map(Object::toString);
            case FLOAT ->
                finite(extraction).map(value -> PythonNumber.text(PythonNumber.round(value, reference.precision())));
            default -> Optional.of(extraction);
        };
    }

    private static Optional<Double> finite(String text) {
        OptionalDouble value = PythonNumber.parseFloat(text);
        return value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
    }

    /** By the first letter in brackets, by the letter alone, else the choice that is nearest in letters. */
    private static String choice(List<String> choices, String extraction) {
        Matcher letter = LETTER_IN_BRACKETS.matcher(extraction);
        String wanted = letter.find() ? letter.group(1).toUpperCase(Locale.ROOT) : extraction;
        if (wanted.length() == 1 && wanted.charAt(0) >= 'A' && wanted.charAt(0) < Options.letter(choices.size())) {
            return choices.get(wanted.charAt(0) - 'A');
        }
        String nearest = choices.get(0);
        for (String choice : choices) {
            if (EditDistance.of(wanted, choice) < EditDistance.of(wanted, nearest)) {
                nearest = choice;
            }
        }
        return nearest;
    }
}
