package dev.luq.benchmarks.run;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.Question;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.PythonText;
import dev.luq.benchmarks.scoring.Reference;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** In whose words questions are put; a score has a meaning only beside scores of the same words. */
public enum PromptStyle {
    /** As lmms-eval asks LLaVA-1.5 and Qwen2.5-VL alike. */
    LMMS_EVAL,
    /** As VLMEvalKit asks Qwen2.5-VL, which is in the words of each data set. */
    VLMEVALKIT;

    private static final String SHORT_ANSWER = "\nAnswer the question using a single word or phrase.";
    private static final String ONE_WORD = "\nAnswer the question with a single word.";
    private static final String LETTER = "Answer with the option's letter from the given choices directly.";
    private static final String LETTER_IN_CHINESE = "请直接使用所提供的选项字母作为答案回答。";
    private static final String SELECT = "Please select the correct answer from the options above. \n";
    private static final String YES_OR_NO = " Please answer yes or no.";
    private static final Pattern CHINESE = Pattern.compile("[\\u4e00-\\u9fff]");

    /** On the command line and in files. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The one with an id. */
    public static Optional<PromptStyle> find(String id) {
        return Arrays.stream(values()).filter(style -> style.id().equals(id)).findFirst();
    }

    /** The text that stands after the picture. */
    public String prompt(Benchmark benchmark, Question question) {
        return this == LMMS_EVAL ? lmmsEval(benchmark, question) : vlmEvalKit(benchmark, question);
    }

    private static String lmmsEval(Benchmark benchmark, Question question) {
        String text = question.text();
        return switch (benchmark) {
            case MME -> PythonText.strip(text).replace(YES_OR_NO, "") + SHORT_ANSWER;
            case MMBENCH -> lmmsEvalOptions(question);
            case TEXTVQA -> PythonText.capitalize(text) + SHORT_ANSWER;
            case POPE -> PythonText.strip(text) + SHORT_ANSWER;
            case VQAV2, GQA, DOCVQA -> text + SHORT_ANSWER;
            case CHARTQA -> text + ONE_WORD;
            case MATHVISTA -> mathVista(question);
        };
    }

    private static String lmmsEvalOptions(Question question) {
        boolean chinese = isChinese(question);
        return (question.hint() == null ? "" : question.hint() + " ") + question.text()
                + (chinese ? " 有如下几个选项：\n" : " There are several options:\n")
                + options(question.reference().options()) + "\n\n" + (chinese ? LETTER_IN_CHINESE : LETTER);
    }

    /** Also a question in signs alone is Chinese where its options are. */
    private static boolean isChinese(Question question) {
        return Stream.concat(Stream.of(question.text()), question.reference().options().stream())
                .anyMatch(text -> CHINESE.matcher(text).find());
    }

    /** A line an option. */
    private static String options(List<String> options) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < options.size(); i++) {
            lines.append(i == 0 ? "" : "\n")
                    .append((char) ('A' + i))
                    .append(". ")
                    .append(options.get(i));
        }
        return lines.toString();
    }

    /** The form that asks for the answer alone. */
    private static String mathVista(Question question) {
        Reference reference = question.reference();
        String unit = question.unit() == null ? "" : " (Unit: " + question.unit() + ")";
        String choices = reference.options().isEmpty() ? "" : "\n" + options(reference.options());
        String form =
                switch (reference.kind()) {
                    case MathVista.MULTI_CHOICE -> LETTER;
                    case MathVista.INTEGER -> "Answer the question using a single integer number.";
                    case MathVista.FLOAT ->
                        "Answer the question using a single floating-point number with "
                                + (reference.precision() == 1 ? "one decimal place." : "two decimal places.");
                    default -> "Answer the question using a Python list.";
                };
        return PythonText.strip(question.text() + unit + choices + "\n" + form);
    }

    private static String vlmEvalKit(Benchmark benchmark, Question question) {
        String text = question.text();
        return switch (benchmark) {
            case MME, POPE -> text;
            case MMBENCH ->
                (question.hint() == null ? "" : "Hint: " + question.hint() + "\n") + "Question: " + text
                        + "\nOptions:\n" + options(question.reference().options()) + "\n" + SELECT;
            // It has no VQAv2, which is asked here as its neighbours are.
            case TEXTVQA, VQAV2, GQA, CHARTQA, DOCVQA -> text + SHORT_ANSWER;
            case MATHVISTA -> question.query();
        };
    }

    /**
     * Tokens of the longest answer: lmms-eval's where it is short, else what leaves room for an answer in a sentence.
     */
    public static int maxTokens(Benchmark benchmark) {
        return switch (benchmark) {
            case MME, VQAV2, GQA, CHARTQA -> 16;
            case DOCVQA -> 32;
            case TEXTVQA -> 64;
            case MMBENCH, POPE -> 128;
            case MATHVISTA -> 512;
        };
    }
}
