package dev.luq.benchmarks.scoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.benchmarks.Benchmark;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScoringTest {

    private static final double EXACT = 1e-9;

    private static Scores scores(Benchmark benchmark, List<ScoringCase.Answered> answers) {
        Scorer scorer = benchmark.scorer();
        answers.forEach(answered -> scorer.add(answered.reference(), Answer.of(answered.text())));
        return scorer.scores();
    }

    @TestFactory
    List<DynamicTest> answersHaveTheOfficialScore() {
        return ScoringCase.all().stream()
                .map(known -> DynamicTest.dynamicTest(
                        known.benchmark().id() + ": " + known.about(),
                        () -> assertEquals(
                                known.score(),
                                scores(known.benchmark(), known.answers())
                                        .metrics()
                                        .get(0)
                                        .value(),
                                EXACT)))
                .toList();
    }

    /** Such that an empty answer would be right, wherever the benchmark has one. */
    private static Reference nothing(Benchmark benchmark) {
        return switch (benchmark) {
            case MME -> Reference.inGroup("Yes", "OCR", "1");
            case MMBENCH -> new Reference(List.of("A"), null, "1", List.of("a", "b"), null, null);
            case POPE -> yesNo("yes", null);
            case TEXTVQA, VQAV2 -> Reference.of(Collections.nCopies(10, "the"), null);
            case GQA -> Reference.of(List.of("?"), null);
            case CHARTQA, DOCVQA -> Reference.of(List.of(""), null);
            case MATHVISTA -> new Reference(List.of(""), null, null, List.of(), MathVista.LIST, null);
        };
    }

    @ParameterizedTest
    @EnumSource(Benchmark.class)
    void aRefusedQuestionIsWrongWhereAnEmptyAnswerIsRight(Benchmark benchmark) {
        Scorer scorer = benchmark.scorer();
        int questions = benchmark == Benchmark.MME ? 2 : 1;
        for (int i = 0; i < questions; i++) {
            scorer.add(nothing(benchmark), Answer.REFUSED);
        }
        Scores scores = scorer.scores();
        assertEquals(questions, scores.questions());
        benchmark.headline().forEach(metric -> assertEquals(Optional.of(0.0), scores.value(metric), metric));
    }

    @Test
    void aRefusedQuestionOfPopeHasTheOppositeOfItsAnswer() {
        PopeScorer scorer = new PopeScorer();
        scorer.add(yesNo("yes", null), Answer.REFUSED);
        scorer.add(yesNo("no", null), Answer.REFUSED);
        assertEquals(Optional.of(0.0), scorer.scores().value("accuracy"));
        assertEquals(Optional.of(50.0), scorer.scores().value("yes ratio"));
    }

    @Test
    void anEmptyAnswerToPopeIsAYes() {
        PopeScorer scorer = new PopeScorer();
        scorer.add(yesNo("yes", null), Answer.of(""));
        assertEquals(Optional.of(100.0), scorer.scores().value("accuracy"));
    }

    private static Reference yesNo(String answer, String category) {
        return Reference.of(List.of(answer), category);
    }

    @Test
    void popeCountsByCategoryToo() {
        PopeScorer scorer = new PopeScorer();
        scorer.add(yesNo("yes", "popular"), Answer.of("Yes, there is."));
        scorer.add(yesNo("no", "popular"), Answer.of("There is no dog. Yes."));
        scorer.add(yesNo("no", "random"), Answer.of("Nothing of that kind"));
        Scores scores = scorer.scores();
        assertEquals(3, scores.questions());
        assertEquals(Optional.of(100.0), scores.value("f1: popular"));
        assertEquals(Optional.of(50.0), scores.value("precision"));
        assertEquals(Optional.of(100.0), scores.value("recall"));
        assertEquals(200 / 3.0, scores.value("yes ratio").orElseThrow(), EXACT);
        assertEquals(Optional.of(0.0), scores.value("accuracy: random"), "what denies nothing is a yes");
    }

    @Test
    void mmeAddsTheCategoriesOfPerceptionAndOfCognition() {
        MmeScorer scorer = new MmeScorer();
        for (String category : List.of("OCR", "count", "code_reasoning")) {
            scorer.add(Reference.inGroup("Yes", category, "a"), Answer.of("Yes"));
            scorer.add(Reference.inGroup("No", category, "a"), Answer.of(category.equals("count") ? "Yes" : "No"));
        }
        Scores scores = scorer.scores();
        assertEquals(Optional.of(250.0), scores.value(MmeScorer.PERCEPTION));
        assertEquals(Optional.of(200.0), scores.value(MmeScorer.COGNITION));
        assertEquals(Optional.of(50.0), scores.value("count"));
    }

    @Test
    void mmeNeedsBothQuestionsAboutAPicture() {
        MmeScorer scorer = new MmeScorer();
        scorer.add(Reference.inGroup("Yes", "OCR", "0001.jpg"), Answer.of("Yes"));
        String message = assertThrows(ScoringException.class, scorer::scores).getMessage();
        assertTrue(message.contains("0001.jpg of OCR has 1"), message);
    }

    @Test
    void aQuestionWithoutItsAnswerIsNoQuestionToScore() {
        for (Benchmark benchmark : List.of(Benchmark.TEXTVQA, Benchmark.DOCVQA, Benchmark.MATHVISTA)) {
            Scorer scorer = benchmark.scorer();
            assertThrows(
                    ScoringException.class,
                    () -> scorer.add(Reference.of(List.of(), null), Answer.of("x")),
                    benchmark.id());
        }
        assertThrows(ScoringException.class, () -> new CircularScorer()
                .add(new Reference(List.of("nan"), null, "1", List.of("a", "b"), null, null), Answer.of("A")));
    }

    @Test
    void modelsAreComparedByTheFirstMetrics() {
        assertEquals(List.of("perception", "cognition"), Benchmark.MME.headline());
        assertEquals(List.of("accuracy"), Benchmark.MMBENCH.headline());
        assertEquals(List.of("exact match"), Benchmark.GQA.headline());
        assertEquals(List.of("f1"), Benchmark.POPE.headline());
        assertEquals(List.of("relaxed accuracy"), Benchmark.CHARTQA.headline());
        assertEquals(List.of("anls"), Benchmark.DOCVQA.headline());
    }

    @Test
    void categoriesHaveTheirOwnMeans() {
        Scorer scorer = Benchmark.CHARTQA.scorer();
        scorer.add(Reference.of(List.of("1"), "human"), Answer.of("1"));
        scorer.add(Reference.of(List.of("1"), "augmented"), Answer.of("2"));
        scorer.add(Reference.of(List.of("1"), "augmented"), Answer.of("1"));
        Scores scores = scorer.scores();
        assertEquals(Optional.of(100.0), scores.value("relaxed accuracy: human"));
        assertEquals(Optional.of(50.0), scores.value("relaxed accuracy: augmented"));
    }

    private static Reference city() {
        return new Reference(List.of("osaka"), null, null, List.of("tokyo", "osaka"), MathVista.MULTI_CHOICE, null);
    }

    @Test
    void theRulesReadAChoiceByItsLetter() {
        assertEquals(1, MathVista.score(city(), Answer.of("B")));
        assertEquals(1, MathVista.score(city(), Answer.of("The correct answer is (B) osaka.")));
        assertEquals(0, MathVista.score(city(), Answer.of("(A)")));
    }

    @ParameterizedTest
    @CsvSource({
        "boolean, , MathVista has no questions of kind boolean.",
        ", , MathVista has no questions of kind null.",
        "multi_choice, , A question of MathVista is of kind multi_choice and has no choices.",
        "float, , A question of MathVista has answers of kind float and precision null; it is from 0 to 15.",
        "float, 1000000000, A question of MathVista has answers of kind float and precision 1000000000; it is from 0"
                + " to 15.",
        "float, -1, A question of MathVista has answers of kind float and precision -1; it is from 0 to 15."
    })
    void aReferenceIsRefusedWhateverTheAnswerIs(String kind, Integer precision, String message) {
        Reference reference = new Reference(List.of("1"), null, null, List.of(), kind, precision);
        for (String answer : List.of("", "1", "A")) {
            assertEquals(
                    message,
                    assertThrows(ScoringException.class, () -> MathVista.score(reference, Answer.of(answer)))
                            .getMessage());
        }
    }

    @Test
    void theJudgeReadsWhatTheRulesCannot() {
        String response = "Both are fine cities, but I lean towards the second one, all things considered.";
        assertEquals(Optional.empty(), MathVista.extract(city(), response));
        assertEquals(0, MathVista.score(city(), Answer.of(response)));
        assertEquals(1, MathVista.score(city(), new Answer(response, Optional.of("B"))));
        Reference number = new Reference(List.of("14"), null, null, List.of(), MathVista.INTEGER, null);
        assertEquals(0, MathVista.score(number, Answer.of("It is 14.")));
        assertEquals(1, MathVista.score(number, new Answer("It is 14.", Optional.of("14"))));
        assertEquals(0, MathVista.score(number, new Answer("13", Optional.of("14"))), "the rules come first");
    }

    @Test
    void aListIsReadWhenItIsTheWholeAnswer() {
        Reference years = new Reference(List.of("[2007, 2008]"), null, null, List.of(), MathVista.LIST, null);
        assertEquals(1, MathVista.score(years, Answer.of("[2007, 2008]")));
        assertEquals(0, MathVista.score(years, Answer.of("2007 and 2008")));
    }
}
