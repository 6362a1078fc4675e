package dev.luq.benchmarks.scoring;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Which of several options an answer means, by the rules of VLMEvalKit, whose makers publish MMBench. */
final class Options {

    /** What stands for none of the options. */
    static final char NONE = 'Z';

    private static final String MARKS = ".()[],:;!*#{}";
    /** An option's letter counts when fewer words than this follow. */
    private static final int LAST_WORDS = 5;

    private static final Set<String> REFUSALS = Set.of(
            "Sorry, I can't help with images of people yet.",
            "I can't process this file.",
            "I'm sorry, but without the image provided",
            "Cannot determine the answer");
    private static final Pattern SENTENCE =
            Pattern.compile("(?:correct\\s+)?answer\\s+is\\s+\\**([ABCD])\\**", Pattern.CASE_INSENSITIVE);

    private Options() {}

    /** The letter of the option at an index. */
    static char letter(int index) {
        return (char) ('A' + index);
    }

    /**
     * The option's letter, or {@link #NONE} for an answer that refuses; empty when the rules cannot tell.
     *
     * @param options texts of A, B, ...
     */
    static Optional<Character> infer(String answer, List<String> options) {
        return byLetter(answer, options.size()).or(() -> byText(answer, options));
    }

    private static Optional<Character> byLetter(String answer, int options) {
        if (REFUSALS.stream().anyMatch(answer::contains)) {
            return Optional.of(NONE);
        }
        String plain = answer;
        for (int i = 0; i < MARKS.length(); i++) {
            plain = plain.replace(MARKS.charAt(i), ' ');
        }
        List<String> words = PythonText.words(plain);
        char named = 0;
        int count = 0;
        for (int i = 0; i < options; i++) {
            if (words.contains(Character.toString(letter(i)))) {
                named = letter(i);
                count++;
            }
        }
        if (count == 1 && words.indexOf(Character.toString(named)) > words.size() - LAST_WORDS) {
            return Optional.of(named);
        }
        if (count == 0 && words.contains(Character.toString(NONE))) {
            return Optional.of(NONE);
        }
        Matcher sentence = SENTENCE.matcher(answer);
        if (sentence.find()) {
            char letter = Character.toUpperCase(sentence.group(1).charAt(0));
            return letter < letter(options) ? Optional.of(letter) : Optional.empty();
        }
        return Optional.empty();
    }

    /** The only option whose text the answer holds, unless the answer is much longer than the options. */
    private static Optional<Character> byText(String answer, List<String> options) {
        String text = PythonText.lower(answer);
        if (PythonText.length(text)
                > 2 * options.stream().mapToInt(PythonText::length).sum()) {
            return Optional.empty();
        }
        List<Integer> held = IntStream.range(0, options.size())
                .filter(i -> text.contains(PythonText.lower(options.get(i))))
                .boxed()
                .toList();
        return held.size() == 1 ? Optional.of(letter(held.get(0))) : Optional.empty();
    }
}
