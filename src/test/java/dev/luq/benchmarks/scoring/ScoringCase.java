package dev.luq.benchmarks.scoring;

import static dev.luq.benchmarks.Benchmark.CHARTQA;
import static dev.luq.benchmarks.Benchmark.DOCVQA;
import static dev.luq.benchmarks.Benchmark.GQA;
import static dev.luq.benchmarks.Benchmark.MATHVISTA;
import static dev.luq.benchmarks.Benchmark.MMBENCH;
import static dev.luq.benchmarks.Benchmark.MME;
import static dev.luq.benchmarks.Benchmark.POPE;
import static dev.luq.benchmarks.Benchmark.TEXTVQA;
import static dev.luq.benchmarks.Benchmark.VQAV2;

import dev.luq.benchmarks.Benchmark;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Answers whose score is known.
 *
 * @param score of the benchmark's first metric
 */
record ScoringCase(Benchmark benchmark, String about, List<Answered> answers, double score) {

    /** One answer and what it is held against. */
    record Answered(Reference reference, String text) {}

    private static final double THIRD = 100 / 3.0;
    private static final List<String> SHAPES = List.of("square", "circle", "triangle", "hexagon");
    private static final List<String> CITIES = List.of("hong kong", "osaka", "shanghai", "tokyo");

    static List<ScoringCase> all() {
        List<ScoringCase> cases = new ArrayList<>();
        cases.addAll(vqa());
        cases.addAll(shortAnswers());
        cases.addAll(yesAndNo());
        cases.addAll(options());
        cases.addAll(mathVista());
        return cases;
    }

    private static ScoringCase one(
            Benchmark benchmark, String about, Reference reference, String answer, double score) {
        return new ScoringCase(benchmark, about, List.of(new Answered(reference, answer)), score);
    }

    /** So many people said it, the others something else. */
    private static Reference people(int count, String answer) {
        List<String> answers = new ArrayList<>(Collections.nCopies(count, answer));
        while (answers.size() < 10) {
            answers.add("other " + answers.size());
        }
        return Reference.of(answers, null);
    }

    private static ScoringCase text(String about, String right, String said, double score) {
        return one(TEXTVQA, about, people(10, right), said, score);
    }

    private static List<ScoringCase> vqa() {
        return List.of(
                one(TEXTVQA, "nobody else said it", people(0, ""), "blue", 0),
                one(
                        TEXTVQA,
                        "of one person, nine times of ten there is one match",
                        people(1, "blue"),
                        "blue",
                        0.9 * THIRD),
                one(TEXTVQA, "of two people", people(2, "blue"), "blue", 60),
                one(TEXTVQA, "of three people", people(3, "blue"), "blue", 90),
                one(TEXTVQA, "of four people", people(4, "blue"), "blue", 100),
                text("case does not matter", "STOP", "stop", 100),
                text("articles do not matter", "the red bus", "a red bus", 100),
                text("number words are digits", "two", "2", 100),
                text("none is a number", "none", "0", 100),
                text("a contraction has its apostrophe", "don't walk", "dont walk", 100),
                text("a genitive is a word", "mcdonald's", "McDonald 's", 100),
                text("a comma in a number vanishes", "1,000", "1000", 100),
                text("a stop at the end vanishes", "yes", "yes.", 100),
                text("a stop before a digit stays", "3.5", "3.5", 100),
                text("a stop between words vanishes", "www.site.com", "wwwsitecom", 100),
                text("a hyphen is a blank", "t-shirt", "t shirt", 100),
                text("a hyphen beside a blank vanishes", "red -blue", "red blue", 100),
                text("lines are joined", "coca cola", "coca\ncola", 100),
                text("another word is wrong", "pepsi", "coca cola", 0),
                text("a sentence is wrong", "pepsi", "The brand is Pepsi", 0),
                one(VQAV2, "a genitive stays", people(10, "dog's"), "Dog's", 100),
                one(VQAV2, "capitals do not matter", people(10, "yes"), "Yes", 100),
                one(VQAV2, "three of ten", people(3, "frisbee"), "frisbee", 90),
                one(VQAV2, "a question mark becomes a blank", people(10, "no"), "no?", 100),
                one(VQAV2, "number words", people(10, "3"), "three", 100));
    }

    private static Reference right(String... answers) {
        return Reference.of(List.of(answers), null);
    }

    private static List<ScoringCase> shortAnswers() {
        return List.of(
                one(GQA, "case and punctuation do not matter", right("left"), "Left.", 100),
                one(GQA, "articles do", right("bed"), "the bed", 0),
                one(GQA, "punctuation within vanishes", right("t-shirt"), "tshirt", 100),
                one(CHARTQA, "within five percent", right("100"), "105", 100),
                one(CHARTQA, "beyond five percent", right("100"), "105.1", 0),
                one(CHARTQA, "percent is a hundredth", right("0.5"), "50%", 100),
                one(CHARTQA, "a percentage without its sign is another number", right("50%"), "50", 0),
                one(CHARTQA, "zero is compared as a text", right("0"), "0.0", 0),
                one(CHARTQA, "words but for case", right("Male"), "male", 100),
                one(CHARTQA, "words are not nearly right", right("Male"), "males", 0),
                one(CHARTQA, "a thousands comma is no number", right("1000"), "1,000", 0),
                one(CHARTQA, "an underscore is one to Python", right("1000"), "1_000", 100),
                one(CHARTQA, "an exponent", right("1200"), "1.2e3", 100),
                one(CHARTQA, "a year within five percent", right("2015"), "2010", 100),
                one(CHARTQA, "a unit makes a text of a number", right("12"), "12 years", 0),
                one(DOCVQA, "equal but for case", right("ITC Limited"), "itc limited", 100),
                one(DOCVQA, "the nearest of several", right("25", "24"), "24", 100),
                one(DOCVQA, "one letter of ten", right("0123456789"), "012345678x", 90),
                one(DOCVQA, "half is enough", right("ab"), "ax", 50),
                one(DOCVQA, "less than half is nothing", right("abc"), "axx", 0),
                one(DOCVQA, "blanks are joined, but the length is counted before", right("a  b"), "a b", 100),
                one(DOCVQA, "a letter whose capital is two", right("straße"), "strasse", 100 * (1 - 2 / 7.0)));
    }

    private static Answered mme(String picture, String right, String said) {
        return new Answered(Reference.inGroup(right, "existence", picture), said);
    }

    private static Answered pope(String right, String said) {
        return new Answered(Reference.of(List.of(right), "random"), said);
    }

    private static List<ScoringCase> yesAndNo() {
        return List.of(
                new ScoringCase(
                        MME, "both of a picture right", List.of(mme("1", "Yes", "yes"), mme("1", "No", "No.")), 200),
                new ScoringCase(
                        MME, "one of a picture right", List.of(mme("1", "Yes", "yes"), mme("1", "No", "yes")), 50),
                new ScoringCase(
                        MME,
                        "two pictures",
                        List.of(
                                mme("1", "Yes", "Yes"),
                                mme("1", "No", "No"),
                                mme("2", "Yes", "No"),
                                mme("2", "No", "No")),
                        75 + 50),
                new ScoringCase(
                        MME,
                        "a sentence that begins with the word",
                        List.of(mme("1", "Yes", "Yes, there is a dog."), mme("1", "No", "No, there is not.")),
                        200),
                new ScoringCase(
                        MME,
                        "the word after the beginning",
                        List.of(mme("1", "Yes", "The answer is yes"), mme("1", "No", "no way")),
                        50),
                new ScoringCase(MME, "first letters", List.of(mme("1", "Yes", "y"), mme("1", "No", "N")), 200),
                new ScoringCase(MME, "other letters", List.of(mme("1", "Yes", "x"), mme("1", "No", "nope")), 50),
                new ScoringCase(
                        POPE,
                        "one of each",
                        List.of(pope("yes", "yes"), pope("yes", "no"), pope("no", "yes"), pope("no", "no")),
                        50),
                new ScoringCase(POPE, "always yes", List.of(pope("yes", "yes"), pope("no", "yes")), 2 * THIRD),
                new ScoringCase(POPE, "never yes", List.of(pope("yes", "no"), pope("no", "no")), 0));
    }

    private static Answered shapes(String group, char right, String said) {
        return new Answered(
                new Reference(List.of(Character.toString(right)), "shape", group, SHAPES, null, null), said);
    }

    private static ScoringCase option(String about, char right, String said, double score) {
        return new ScoringCase(MMBENCH, about, List.of(shapes("7", right, said)), score);
    }

    private static List<ScoringCase> options() {
        return List.of(
                option("a letter", 'B', "B", 100),
                option("a letter with a stop", 'B', "B.", 100),
                option("a letter in brackets with its text", 'B', "(B) circle", 100),
                option("a letter near the end", 'C', "I think that it must be C", 100),
                option("a letter far from the end", 'A', "A thing like this has more than four words after", 0),
                option("two letters", 'A', "A or B", 0),
                option("a sentence in bold", 'A', "The correct answer is **A**. Not B, because it is round", 100),
                option("its text", 'C', "triangle", 100),
                option("its text in capitals", 'C', "TRIANGLE", 100),
                option("an article is taken for a letter", 'C', "A triangle", 0),
                option("two texts", 'C', "triangle or circle", 0),
                option("a text in a long answer is not looked for", 'C', "triangle ".repeat(8), 0),
                option("a refusal", 'A', "Cannot determine the answer", 0),
                option("another letter", 'A', "D", 0),
                option("a letter of no option", 'A', "E", 0),
                new ScoringCase(
                        MMBENCH,
                        "every rotation must be right",
                        List.of(
                                shapes("1", 'A', "A"),
                                shapes("1", 'B', "B"),
                                shapes("2", 'A', "A"),
                                shapes("2", 'B', "A"),
                                shapes("3", 'D', "hexagon")),
                        2 * THIRD));
    }

    private static ScoringCase math(
            String about, String kind, Integer precision, String right, String said, double score) {
        List<String> options = kind.equals(MathVista.MULTI_CHOICE) ? CITIES : List.of();
        return one(
                MATHVISTA, about, new Reference(List.of(right), "task", null, options, kind, precision), said, score);
    }

    private static List<ScoringCase> mathVista() {
        return List.of(
                math("an integer", MathVista.INTEGER, null, "14", "14", 100),
                math("an integer with blanks", MathVista.INTEGER, null, "14", " 14\n", 100),
                math("another integer", MathVista.INTEGER, null, "14", "15", 0),
                math("a number with one place", MathVista.FLOAT, 1, "0.6", "0.6", 100),
                math("more places are rounded", MathVista.FLOAT, 1, "0.6", "0.623", 100),
                math("rounding is of the exact binary value", MathVista.FLOAT, 2, "2.67", "2.675", 100),
                math("a whole number has a place", MathVista.FLOAT, 1, "4.0", "4", 100),
                math("a choice's text", MathVista.MULTI_CHOICE, null, "tokyo", "tokyo", 100),
                math("a quoted answer", MathVista.MULTI_CHOICE, null, "tokyo", "The answer is \"tokyo\".", 100),
                math(
                        "a quoted answer that is nearly a choice",
                        MathVista.MULTI_CHOICE,
                        null,
                        "osaka",
                        "The answer is \"Osaka\".",
                        100),
                math(
                        "a quoted letter in brackets",
                        MathVista.MULTI_CHOICE,
                        null,
                        "shanghai",
                        "The answer is \"(C) shanghai\".",
                        100),
                math("a quoted letter", MathVista.MULTI_CHOICE, null, "shanghai", "The answer is \"C\".", 100),
                math("a quoted integer with a fraction", MathVista.INTEGER, null, "14", "The answer is \"14.7\".", 100),
                math("a quoted text for a number", MathVista.INTEGER, null, "14", "The answer is \"fourteen\".", 0));
    }
}
