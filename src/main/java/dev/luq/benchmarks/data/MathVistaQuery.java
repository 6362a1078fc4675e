package dev.luq.benchmarks.data;

import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.Reference;
import java.util.List;

/**
 * The words in which MathVista's makers ask: a hint about the form of the answer, the question and its choices. Their own
 * file has the question without them, the hub has both, and VLMEvalKit has the query as the question.
 */
final class MathVistaQuery {

    private static final String HINT = "Hint: ";
    private static final String QUESTION = "\nQuestion: ";
    private static final String CHOICES = "\nChoices:\n";

    private MathVistaQuery() {}

    /** Whether a release has the query where others have the question. */
    static boolean isQuery(String question) {
        return question.startsWith(HINT) && question.contains(QUESTION);
    }

    /**
     * The question in a query.
     *
     * @param unit that a field of its own names, and which is then no part of the question; else null
     */
    static String question(String query, String unit) {
        String rest = query.substring(query.indexOf(QUESTION) + QUESTION.length());
        int choices = rest.indexOf(CHOICES);
        String question = choices < 0 ? rest : rest.substring(0, choices);
        String ending = unit(unit);
        return question.endsWith(ending) ? question.substring(0, question.length() - ending.length()) : question;
    }

    private static String unit(String unit) {
        return unit == null ? "" : " (Unit: " + unit + ")";
    }

    /**
     * The query as it is published.
     *
     * @param unit of the answer; null where it has none
     */
    static String of(String question, String unit, Reference reference) {
        StringBuilder query = new StringBuilder(HINT)
                .append("Please answer the question ")
                .append(form(reference))
                .append(", at the end.")
                .append(QUESTION)
                .append(question)
                .append(unit(unit));
        List<String> options = reference.options();
        for (int i = 0; i < options.size(); i++) {
            query.append(i == 0 ? CHOICES : "\n")
                    .append('(')
                    .append((char) ('A' + i))
                    .append(") ")
                    .append(options.get(i));
        }
        return query.toString();
    }

    private static String form(Reference reference) {
        return switch (reference.kind()) {
            case MathVista.MULTI_CHOICE -> "and provide the correct option letter, e.g., A, B, C, D";
            case MathVista.INTEGER -> "requiring an integer answer and provide the final value, e.g., 1, 2, 3";
            case MathVista.FLOAT ->
                "requiring a floating-point number with "
                        + (reference.precision() == 1
                                ? "one decimal place and provide the final value, e.g., 1.2, 1.3, 1.4"
                                : "two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45");
            default ->
                "requiring a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4]";
        };
    }
}
