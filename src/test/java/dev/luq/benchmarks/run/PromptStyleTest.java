package dev.luq.benchmarks.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.Picture;
import dev.luq.benchmarks.data.Question;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.Reference;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PromptStyleTest {

    private static final Picture PICTURE = Picture.of(new byte[] {1});

    private static Question plain(String text) {
        return new Question("1", text, null, null, null, Reference.of(List.of("x"), null), PICTURE);
    }

    private static Question options(String text, String hint) {
        return new Question(
                "1",
                text,
                hint,
                null,
                null,
                new Reference(List.of("A"), null, "1", List.of("cat", "dog"), null, null),
                PICTURE);
    }

    private static Question math(String kind, Integer precision, String unit, String... options) {
        return new Question(
                "1",
                "How many?",
                null,
                "Hint: say it.\nQuestion: How many?",
                unit,
                new Reference(List.of("1"), null, null, List.of(options), kind, precision),
                PICTURE);
    }

    private static String lmmsEval(Benchmark benchmark, Question question) {
        return PromptStyle.LMMS_EVAL.prompt(benchmark, question);
    }

    private static String vlmEvalKit(Benchmark benchmark, Question question) {
        return PromptStyle.VLMEVALKIT.prompt(benchmark, question);
    }

    @Test
    void lmmsEvalAsksForAWordOrPhrase() {
        String form = "\nAnswer the question using a single word or phrase.";
        assertEquals("What is ibm?" + form, lmmsEval(Benchmark.TEXTVQA, plain("what is IBM?")));
        assertEquals("what is IBM?" + form, lmmsEval(Benchmark.VQAV2, plain("what is IBM?")));
        assertEquals("Is it?" + form, lmmsEval(Benchmark.MME, plain(" Is it? Please answer yes or no.")));
        assertEquals("Is it?" + form, lmmsEval(Benchmark.POPE, plain(" Is it? ")));
        assertEquals("Which?\nAnswer the question with a single word.", lmmsEval(Benchmark.CHARTQA, plain("Which?")));
    }

    @Test
    void lmmsEvalListsOptionsBelowTheHint() {
        assertEquals(
                "Look. Which? There are several options:\nA. cat\nB. dog\n\n"
                        + "Answer with the option's letter from the given choices directly.",
                lmmsEval(Benchmark.MMBENCH, options("Which?", "Look.")));
        assertEquals(
                "Which? There are several options:\nA. cat\nB. dog\n\n"
                        + "Answer with the option's letter from the given choices directly.",
                lmmsEval(Benchmark.MMBENCH, options("Which?", null)));
    }

    @Test
    void lmmsEvalNamesTheFormOfAnswersToMathVista() {
        assertEquals(
                "How many? (Unit: $)\nAnswer the question using a single integer number.",
                lmmsEval(Benchmark.MATHVISTA, math(MathVista.INTEGER, null, "$")));
        assertEquals(
                "How many?\nAnswer the question using a single floating-point number with two decimal places.",
                lmmsEval(Benchmark.MATHVISTA, math(MathVista.FLOAT, 2, null)));
        assertEquals(
                "How many?\nA. 1\nB. 2\nAnswer with the option's letter from the given choices directly.",
                lmmsEval(Benchmark.MATHVISTA, math(MathVista.MULTI_CHOICE, null, null, "1", "2")));
        assertEquals(
                "How many?\nAnswer the question using a Python list.",
                lmmsEval(Benchmark.MATHVISTA, math(MathVista.LIST, null, null)));
    }

    @Test
    void lmmsEvalAsksTheChineseMmBenchInChinese() {
        String chinese = "哪个? 有如下几个选项：\nA. cat\nB. dog\n\n请直接使用所提供的选项字母作为答案回答。";
        assertEquals(chinese, lmmsEval(Benchmark.MMBENCH, options("哪个?", null)));
        assertEquals("看。 " + chinese, lmmsEval(Benchmark.MMBENCH, options("哪个?", "看。")));
    }

    @Test
    void vlmEvalKitAsksQwenInTheWordsOfTheDataSet() {
        String form = "\nAnswer the question using a single word or phrase.";
        for (Benchmark benchmark :
                List.of(Benchmark.TEXTVQA, Benchmark.VQAV2, Benchmark.GQA, Benchmark.CHARTQA, Benchmark.DOCVQA)) {
            assertEquals("what?" + form, vlmEvalKit(benchmark, plain("what?")), benchmark.id());
        }
        assertEquals("Is it?", vlmEvalKit(Benchmark.POPE, plain("Is it?")));
        assertEquals(
                "Is it? Please answer yes or no.", vlmEvalKit(Benchmark.MME, plain("Is it? Please answer yes or no.")));
        assertEquals(
                "Hint: say it.\nQuestion: How many?",
                vlmEvalKit(Benchmark.MATHVISTA, math(MathVista.INTEGER, null, null)));
    }

    @Test
    void vlmEvalKitListsOptionsInOneLanguage() {
        String end = "?\nOptions:\nA. cat\nB. dog\nPlease select the correct answer from the options above. \n";
        assertEquals("Hint: Look.\nQuestion: Which" + end, vlmEvalKit(Benchmark.MMBENCH, options("Which?", "Look.")));
        assertEquals("Question: 哪个" + end, vlmEvalKit(Benchmark.MMBENCH, options("哪个?", null)));
    }

    @Test
    void stylesHaveIds() {
        assertEquals(Optional.of(PromptStyle.LMMS_EVAL), PromptStyle.find("lmms-eval"));
        assertEquals(Optional.of(PromptStyle.VLMEVALKIT), PromptStyle.find("vlmevalkit"));
        assertEquals(Optional.empty(), PromptStyle.find("own"));
    }
}
