package dev.luq.benchmarks.scoring;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The form in which answers are compared by the VQA evaluation: no punctuation, no articles, number words as digits,
 * contractions with their apostrophe. Oddities of the official code are kept, since published scores have them.
 */
final class VqaText {

    private static final String PUNCTUATION = ";/[]\"{}()=+\\_-><@`,?!";
    private static final Pattern COMMA_IN_NUMBER = Pattern.compile("(?U)(?<=\\d),+(?=\\d)");
    /** The official expression also means to keep a stop after a digit, but looks for the text {@code <=} there. */
    private static final Pattern FULL_STOP = Pattern.compile("(?U)\\.(?!\\d)");
    /** The official code gives {@code re.UNICODE}, which is 32, where the largest number of replacements belongs. */
    private static final int MOST_STOPS = 32;

    private static final Set<String> ARTICLES = Set.of("a", "an", "the");
    private static final Map<String, String> NUMBERS = Map.ofEntries(
            Map.entry("none", "0"),
            Map.entry("zero", "0"),
            Map.entry("one", "1"),
            Map.entry("two", "2"),
            Map.entry("three", "3"),
            Map.entry("four", "4"),
            Map.entry("five", "5"),
            Map.entry("six", "6"),
            Map.entry("seven", "7"),
            Map.entry("eight", "8"),
            Map.entry("nine", "9"),
            Map.entry("ten", "10"));
    private static final Map<String, String> CONTRACTIONS = contractions();

    private VqaText() {}

    private static Map<String, String> contractions() {
        Map<String, String> table = new HashMap<>();
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(VqaText.class.getResourceAsStream("contractions.txt"), UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#")) {
                    String[] pair = line.split(" ", 2);
                    table.put(pair[0], pair[1]);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.copyOf(table);
    }

    /** As answers to VQAv2 are compared. */
    static String normalize(String answer) {
        return words(punctuation(oneLine(answer)));
    }

    /** As answers to TextVQA are compared: the processor of EvalAI, which first parts a genitive from its word. */
    static String normalizeForEvalAi(String answer) {
        String parted =
                PythonText.lower(answer).replace(",", "").replace("?", "").replace("'s", " 's");
        return words(punctuation(oneLine(PythonText.strip(parted))));
    }

    private static String oneLine(String text) {
        return PythonText.strip(text.replace('\n', ' ').replace('\t', ' '));
    }

    /** A mark becomes nothing where it stands beside a blank, or anywhere beside a number with commas; else a blank. */
    private static String punctuation(String text) {
        boolean commaInNumber = COMMA_IN_NUMBER.matcher(text).find();
        String result = text;
        for (int i = 0; i < PUNCTUATION.length(); i++) {
            String mark = PUNCTUATION.substring(i, i + 1);
            boolean vanishes = commaInNumber || text.contains(mark + " ") || text.contains(" " + mark);
            result = result.replace(mark, vanishes ? "" : " ");
        }
        return withoutStops(result);
    }

    private static String withoutStops(String text) {
        Matcher stop = FULL_STOP.matcher(text);
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < MOST_STOPS && stop.find(); i++) {
            stop.appendReplacement(result, "");
        }
        return stop.appendTail(result).toString();
    }

    private static String words(String text) {
        List<String> words = new ArrayList<>();
        for (String word : PythonText.words(PythonText.lower(text))) {
            String number = NUMBERS.getOrDefault(word, word);
            if (!ARTICLES.contains(number)) {
                words.add(CONTRACTIONS.getOrDefault(number, number));
            }
        }
        return String.join(" ", words);
    }
}
