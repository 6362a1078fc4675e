package dev.luq.benchmarks.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.BenchmarkDataException;
import dev.luq.benchmarks.data.BenchmarkFolder;
import dev.luq.benchmarks.data.PublishedFiles;
import dev.luq.benchmarks.scoring.ScoringException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class BenchmarkRunTest {

    @TempDir
    Path folder;

    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private OptionalInt limit = OptionalInt.empty();
    private Optional<Judge> judge = Optional.empty();
    private int concurrency = 2;

    private Path answers() {
        return folder.resolve("results/a.jsonl");
    }

    private BenchmarkFolder data(Benchmark benchmark, String form) throws IOException {
        Path data = Files.createDirectories(folder.resolve("data"));
        new PublishedFiles(data, number -> ("picture " + number + " ".repeat(60)).getBytes(UTF_8))
                .write(benchmark, form);
        return BenchmarkFolder.of(benchmark, data);
    }

    private static RunHeader header(Benchmark benchmark) {
        return new RunHeader(benchmark.id(), "form", "model", null, "identity", 7L, 2.5, "lmms-eval", 16);
    }

    private RunResult run(BenchmarkFolder data, Respondent model) throws IOException {
        Respondent counted = (prompt, picture, maxTokens) -> {
            asked.add(prompt);
            return model.answer(prompt, picture, maxTokens);
        };
        return new BenchmarkRun(
                        data, header(data.benchmark()), PromptStyle.LMMS_EVAL, limit, concurrency, counted, judge)
                .run(answers(), (questions, all) -> {});
    }

    /** Says what lies in the picture. */
    private static String number(byte[] picture) {
        return "Answer " + new String(picture, UTF_8).strip().replaceAll("\\D", "") + "\n";
    }

    @Test
    void everyQuestionIsAskedAboutItsPictureAndScored() throws IOException {
        RunResult result = run(data(Benchmark.DOCVQA, "parquet"), (prompt, picture, max) -> {
            assertEquals(16, max);
            return number(picture);
        });
        assertEquals(4, result.scores().questions());
        assertEquals(Optional.of(100.0), result.scores().value("anls"));
        assertEquals(4, asked.size());
        assertTrue(asked.contains("what is IBM in 2?\nAnswer the question using a single word or phrase."));
        assertEquals(5, Files.readAllLines(answers(), UTF_8).size(), "a header and a line an answer");
    }

    @Test
    void anInterruptedRunGoesOn() throws IOException {
        concurrency = 1;
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        IllegalStateException end = assertThrows(
                IllegalStateException.class,
                () -> run(data, (prompt, picture, max) -> {
                    if (asked.size() > 2) {
                        throw new IllegalStateException("the server is gone");
                    }
                    return number(picture);
                }));
        assertEquals("the server is gone", end.getMessage());
        assertEquals(3, Files.readAllLines(answers(), UTF_8).size());
        asked.clear();
        RunResult result = run(data, (prompt, picture, max) -> number(picture));
        assertEquals(2, asked.size());
        assertEquals(Optional.of(100.0), result.scores().value("anls"));
    }

    @Test
    void anErrorEndsTheRunAsItself() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        StackOverflowError end = assertThrows(
                StackOverflowError.class,
                () -> run(data, (prompt, picture, max) -> {
                    throw new StackOverflowError("too deep");
                }));
        assertEquals("too deep", end.getMessage());
    }

    @Test
    void whatACrashLeftOfALineIsCutOff() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        run(data, (prompt, picture, max) -> number(picture));
        String whole = Files.readString(answers(), UTF_8);
        Files.writeString(answers(), whole.substring(0, whole.length() - 5), UTF_8);
        asked.clear();
        RunResult result = run(data, (prompt, picture, max) -> number(picture));
        assertEquals(1, asked.size());
        assertEquals(4, result.scores().questions());
    }

    @Test
    void whatIsNoFileOfAnswersIsRefused() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        run(data, (prompt, picture, max) -> "x");
        Files.writeString(answers(), "no JSON\n", UTF_8);
        assertTrue(assertThrows(BenchmarkRunException.class, () -> run(data, (prompt, picture, max) -> "x"))
                .getMessage()
                .contains("is no file of answers"));
    }

    /** Writes a file of the data under another name, changed, in its place. */
    private void replace(String file, String other, String text, String by) throws IOException {
        Path data = folder.resolve("data");
        String before = Files.readString(data.resolve(file), UTF_8);
        assertTrue(before.contains(text), before);
        Files.delete(data.resolve(file));
        Files.writeString(data.resolve(other), before.replace(text, by), UTF_8);
    }

    @Test
    void anIdOfAnotherLanguageNamesAnotherQuestion() throws IOException {
        Respondent right = (prompt, picture, max) -> prompt.contains("A. yes") ? "A" : "B";
        run(data(Benchmark.MMBENCH, "tsv"), right);
        replace("MMBench_DEV_EN.tsv", "MMBench_DEV_CN.tsv", "Which \"\"thing\"\"\nis it?", "哪个?");
        asked.clear();
        RunResult chinese =
                run(BenchmarkFolder.of(Benchmark.MMBENCH, folder.resolve("data")), (prompt, picture, max) -> "C");
        assertEquals(4, asked.size());
        assertEquals(4, chinese.scores().questions());
        assertEquals(Optional.of(0.0), chinese.scores().value("accuracy"));
        Files.delete(folder.resolve("data/MMBench_DEV_CN.tsv"));
        asked.clear();
        RunResult english = run(data(Benchmark.MMBENCH, "tsv"), right);
        assertEquals(List.of(), asked, "their answers are still in the file");
        assertEquals(Optional.of(100.0), english.scores().value("accuracy"));
    }

    @Test
    void aFileThatIsAddedMayGiveTheIdsToOtherQuestions() throws IOException {
        data(Benchmark.CHARTQA, "json");
        Path augmented = folder.resolve("data/test_augmented.json");
        Path aside = folder.resolve("aside.json");
        Files.move(augmented, aside);
        BenchmarkFolder human = BenchmarkFolder.of(Benchmark.CHARTQA, folder.resolve("data"));
        assertEquals(
                2,
                run(human, (prompt, picture, max) -> number(picture)).scores().questions());
        Files.move(aside, augmented);
        BenchmarkFolder both = BenchmarkFolder.of(Benchmark.CHARTQA, folder.resolve("data"));
        asked.clear();
        RunResult result = run(both, (prompt, picture, max) -> number(picture));
        assertEquals(4, asked.size());
        assertEquals(Optional.of(100.0), result.scores().value("relaxed accuracy"));
        assertEquals(Optional.of(100.0), result.scores().value("relaxed accuracy: human"));
        asked.clear();
        run(both, (prompt, picture, max) -> number(picture));
        assertEquals(List.of(), asked);
    }

    @Test
    void aQuestionIsAskedAgainWhenItsRightAnswerIsAnother() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        run(data, (prompt, picture, max) -> number(picture));
        replace("val_v1.0_withQT.json", "val_v1.0_withQT.json", "answer 2", "reply 2");
        asked.clear();
        RunResult result = run(data, (prompt, picture, max) -> "reply 2");
        assertEquals(List.of("what is IBM in 2?\nAnswer the question using a single word or phrase."), asked);
        assertEquals(Optional.of(100.0), result.scores().value("anls"));
    }

    @Test
    void aQuestionIsAskedAgainWhenItsPictureIsAnother() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        run(data, (prompt, picture, max) -> "x");
        Files.writeString(folder.resolve("data/documents/page2.png"), "picture 2, drawn anew", UTF_8);
        asked.clear();
        RunResult result = run(data, (prompt, picture, max) -> "answer 2");
        assertEquals(1, asked.size());
        assertEquals(Optional.of(25.0), result.scores().value("anls"));
    }

    @Test
    void anAnswerWithoutADigestOfItsPictureIsKnownByItsWords() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        run(data, (prompt, picture, max) -> number(picture));
        String with = Files.readString(answers(), UTF_8);
        String without = with.replaceAll("\"picture\":\"[0-9a-f]{64}\",", "");
        assertEquals(4 * ("\"picture\":\"\",".length() + 64), with.length() - without.length());
        Files.writeString(answers(), without, UTF_8);
        asked.clear();
        RunResult result = run(data, (prompt, picture, max) -> "x");
        assertEquals(List.of(), asked);
        assertEquals(Optional.of(100.0), result.scores().value("anls"));
    }

    private static Stream<RunHeader> headersOfOtherRuns() {
        return Stream.of(
                new RunHeader("gqa", "form", "model", null, "identity", 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "other", "model", null, "identity", 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "other", null, "identity", 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", "70", "identity", 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", null, "other", 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", null, null, 7L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", null, "identity", 8L, 2.5, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", null, "identity", 7L, 2.6, "lmms-eval", 16),
                new RunHeader("docvqa", "form", "model", null, "identity", 7L, 2.5, "vlmevalkit", 16),
                new RunHeader("docvqa", "form", "model", null, "identity", 7L, 2.5, "lmms-eval", 17));
    }

    @ParameterizedTest
    @MethodSource("headersOfOtherRuns")
    void answersOfAnotherRunAreNotMixedIn(RunHeader other) throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        AnswersFile.open(answers(), other).close();
        String reason = assertThrows(BenchmarkRunException.class, () -> run(data, (prompt, picture, max) -> "x"))
                .getMessage();
        assertTrue(reason.contains("has the answers of another run"), reason);
        assertEquals(List.of(), asked);
    }

    @Test
    void oneRunAtATimeWritesAFile() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        try (AnswersFile open = AnswersFile.open(answers(), header(Benchmark.DOCVQA))) {
            assertTrue(assertThrows(BenchmarkRunException.class, () -> run(data, (prompt, picture, max) -> "x"))
                    .getMessage()
                    .contains("Another run writes"));
            assertEquals(0, open.answered(line -> true).size());
        }
    }

    @Test
    void refusedQuestionsAreWrongAndAskedAgain() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        RunResult first = run(data, (prompt, picture, max) -> {
            if (prompt.contains("in 3?")) {
                throw new Respondent.RefusedException("the picture cannot be decoded", null);
            }
            return number(picture);
        });
        assertEquals(1, first.refused());
        assertEquals(Optional.of(75.0), first.scores().value("anls"));
        assertTrue(Files.readString(answers(), UTF_8).contains("\"refused\":\"the picture cannot be decoded\""));
        asked.clear();
        RunResult second = run(data, (prompt, picture, max) -> number(picture));
        assertEquals(1, asked.size());
        assertEquals(0, second.refused());
        assertEquals(Optional.of(100.0), second.scores().value("anls"));
    }

    @ParameterizedTest
    @EnumSource(Benchmark.class)
    void refusedQuestionsAreWrongInEachBenchmark(Benchmark benchmark) throws IOException {
        RunResult result = run(data(benchmark, "parquet"), (prompt, picture, max) -> {
            throw new Respondent.RefusedException("the picture cannot be decoded", null);
        });
        assertEquals(4, result.refused());
        benchmark
                .headline()
                .forEach(
                        metric -> assertEquals(Optional.of(0.0), result.scores().value(metric), metric));
    }

    /** About more pictures than a server may refuse at first, two questions each. */
    private BenchmarkFolder manyQuestions() throws IOException {
        data(Benchmark.DOCVQA, "json");
        Path documents = folder.resolve("data/documents");
        byte[] page = Files.readAllBytes(documents.resolve("page0.png"));
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 48; i++) {
            byte[] other = Arrays.copyOf(page, page.length + 1 + i / 2);
            Files.write(documents.resolve("other" + i / 2 + ".png"), other);
            rows.append(i == 0 ? "" : ",")
                    .append("{\"questionId\":" + i + ",\"question\":\"what is " + i + "?\",")
                    .append("\"image\":\"documents/other" + i / 2 + ".png\",\"answers\":[\"x\"]}");
        }
        Files.writeString(folder.resolve("data/val_v1.0_withQT.json"), "{\"data\":[" + rows + "]}", UTF_8);
        return BenchmarkFolder.of(Benchmark.DOCVQA, folder.resolve("data"));
    }

    private static String refuse(String prompt, byte[] picture, int maxTokens) throws Respondent.RefusedException {
        throw new Respondent.RefusedException("no pictures are taken.", null);
    }

    @Test
    void aServerThatRefusesTheFirstTwentyPicturesIsAskedNoMore() throws IOException {
        concurrency = 1;
        BenchmarkFolder data = manyQuestions();
        String reason = assertThrows(BenchmarkRunException.class, () -> run(data, BenchmarkRunTest::refuse))
                .getMessage();
        assertTrue(
                reason.startsWith("The server refused the questions about all of the first 20 pictures: no pictures"
                        + " are taken."),
                reason);
        assertEquals(39, asked.size());
    }

    @Test
    void aServerThatTookAQuestionMayRefuseAllOthers() throws IOException {
        concurrency = 1;
        BenchmarkFolder data = manyQuestions();
        Respondent first =
                (prompt, picture, max) -> prompt.startsWith("what is 0?") ? "x" : refuse(prompt, picture, max);
        assertEquals(47, run(data, first).refused());
        assertEquals(47, run(data, BenchmarkRunTest::refuse).refused(), "the run that goes on with it too");
    }

    @Test
    void aLimitTakesTheFirstQuestions() throws IOException {
        limit = OptionalInt.of(3);
        RunResult result = run(data(Benchmark.CHARTQA, "parquet"), (prompt, picture, max) -> number(picture));
        assertEquals(3, result.scores().questions());
        assertEquals(3, result.limit());
    }

    @Test
    void rotationsOfAQuestionCountAsOne() throws IOException {
        limit = OptionalInt.of(1);
        RunResult result =
                run(data(Benchmark.MMBENCH, "tsv"), (prompt, picture, max) -> prompt.contains("A. yes") ? "A" : "B");
        assertEquals(2, asked.size(), "the rotation lies at the end of the file");
        assertEquals(1, result.scores().metrics().get(0).count());
        assertEquals(Optional.of(100.0), result.scores().value("accuracy"));
    }

    @Test
    void aWiderLimitAsksTheRest() throws IOException {
        BenchmarkFolder data = data(Benchmark.GQA, "parquet");
        limit = OptionalInt.of(1);
        run(data, (prompt, picture, max) -> number(picture));
        limit = OptionalInt.empty();
        assertEquals(
                4, run(data, (prompt, picture, max) -> number(picture)).scores().questions());
        assertEquals(4, asked.size());
    }

    /** The rules cannot read the second answer. */
    private static String math(String prompt, byte[] picture, int maxTokens) {
        return switch (picture[8]) {
            case '0' -> "B";
            case '1' -> "I count 14 of them.";
            case '2' -> "1.21";
            default -> "[1, 2]";
        };
    }

    @Test
    void theJudgeSeesWhatTheRulesCannotRead() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        RunResult alone = run(data, BenchmarkRunTest::math);
        assertEquals(1, alone.unread());
        assertEquals(Optional.of(75.0), alone.scores().value("accuracy"));
        asked.clear();
        List<String> judged = new ArrayList<>();
        judge = Optional.of(new Judge("judge", (prompt, picture, max) -> {
            judged.add(prompt);
            assertEquals(0, picture.length);
            return " 14 ";
        }));
        RunResult both = run(data, BenchmarkRunTest::math);
        assertEquals(0, both.unread());
        assertEquals(Optional.of(100.0), both.scores().value("accuracy"));
        assertEquals(List.of(), asked, "the model has answered already");
        assertEquals(1, judged.size());
        run(data, BenchmarkRunTest::math);
        assertEquals(1, judged.size(), "what was judged is kept");
        Files.delete(answers());
        assertEquals(
                Optional.of(100.0), run(data, BenchmarkRunTest::math).scores().value("accuracy"));
        assertEquals(2, judged.size());
        assertTrue(judged.get(0).contains("Response: I count 14 of them.\nAnswer:"), judged.get(0));
    }

    @Test
    void whatTheJudgeRefusesStaysUnread() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        judge = Optional.of(new Judge("judge", (prompt, picture, max) -> {
            throw new Respondent.RefusedException("too long", null);
        }));
        for (String when : List.of("with the answers", "of earlier answers")) {
            RunResult result = run(data, BenchmarkRunTest::math);
            assertEquals(1, result.unread(), when);
            assertEquals(Optional.of(75.0), result.scores().value("accuracy"), when);
        }
        assertEquals(4, asked.size());
    }

    @Test
    void anAnswerIsKeptWhenTheJudgeIsGone() throws IOException {
        concurrency = 1;
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        judge = Optional.of(new Judge("judge", (prompt, picture, max) -> {
            throw new IllegalStateException("the judge is gone");
        }));
        assertThrows(IllegalStateException.class, () -> run(data, BenchmarkRunTest::math));
        assertTrue(Files.readString(answers(), UTF_8).contains("I count 14 of them."));
    }

    private Judge judge(String model, String verdict, List<String> judged) {
        return new Judge(model, (prompt, picture, max) -> {
            judged.add(model);
            return verdict;
        });
    }

    private RunResult judged(BenchmarkFolder data, Optional<Judge> by) throws IOException {
        judge = by;
        return run(data, BenchmarkRunTest::math);
    }

    @Test
    void theVerdictOfOneJudgeDoesNotCountForAnother() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        List<String> judged = Collections.synchronizedList(new ArrayList<>());
        Optional<Judge> small = Optional.of(judge("small", "13", judged));
        Optional<Judge> better = Optional.of(judge("better", "14", judged));
        RunResult bySmall = judged(data, small);
        RunResult byBetter = judged(data, better);
        RunResult bySmallAgain = judged(data, small);
        assertEquals(Optional.of(75.0), bySmall.scores().value("accuracy"));
        assertEquals(Optional.of(100.0), byBetter.scores().value("accuracy"));
        assertEquals(Optional.of(75.0), bySmallAgain.scores().value("accuracy"));
        assertEquals(List.of("small", "better"), judged, "each verdict is kept for its judge");
        assertEquals(4, asked.size());
        assertEquals("small", bySmall.judge());
        assertEquals("better", byBetter.judge());
    }

    @Test
    void withoutAJudgeNoVerdictCounts() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        judged(data, Optional.of(judge("judge", "14", new ArrayList<>())));
        RunResult alone = judged(data, Optional.empty());
        assertEquals(Optional.of(75.0), alone.scores().value("accuracy"));
        assertEquals(1, alone.unread());
        assertNull(alone.judge());
    }

    @Test
    void aVerdictThatDoesNotSayWhoseItIsIsNobodys() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "parquet");
        judged(data, Optional.of(judge("judge", "14", new ArrayList<>())));
        String named = Files.readString(answers(), UTF_8);
        Files.writeString(answers(), named.replace("\"judge\":\"judge\",", ""), UTF_8);
        assertNotEquals(named, Files.readString(answers(), UTF_8));
        List<String> judged = new ArrayList<>();
        judged(data, Optional.of(judge("judge", "14", judged)));
        assertEquals(List.of("judge"), judged);
    }

    @Test
    void theJudgeSeesNoAnswerToAnotherQuestion() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "json");
        run(data, BenchmarkRunTest::math);
        replace("testmini.json", "testmini.json", "what is IBM in 1?", "how many are there?");
        judge = Optional.of(new Judge("judge", (prompt, picture, max) -> {
            throw new AssertionError(prompt);
        }));
        assertEquals(0, run(data, (prompt, picture, max) -> "14").unread());
    }

    @Test
    void aQuestionWithAnEmptyFieldIsAskedOnce() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "json");
        replace("testmini.json", "testmini.json", "figure question answering", "");
        run(data, BenchmarkRunTest::math);
        run(data, BenchmarkRunTest::math);
        assertEquals(4, asked.size());
    }

    @Test
    void picturesAreReadBeforeTheFirstQuestion() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        Files.write(folder.resolve("data/documents/page3.png"), new byte[0]);
        assertThrows(BenchmarkDataException.class, () -> run(data, (prompt, picture, max) -> "x"));
        assertEquals(List.of(), asked);
    }

    @Test
    void faultsOfTheDataAreFoundBeforeTheFirstQuestion() throws IOException {
        BenchmarkFolder data = data(Benchmark.CHARTQA, "json");
        Path last = folder.resolve("data/test_human.json");
        Files.writeString(last, "]", UTF_8, StandardOpenOption.TRUNCATE_EXISTING);
        assertThrows(BenchmarkDataException.class, () -> run(data, (prompt, picture, max) -> "x"));
        assertEquals(List.of(), asked);
    }

    @Test
    void kindsThatAreUnknownAreFoundBeforeTheFirstQuestion() throws IOException {
        BenchmarkFolder data = data(Benchmark.MATHVISTA, "json");
        Path file = folder.resolve("data/testmini.json");
        Files.writeString(file, Files.readString(file, UTF_8).replace("\"list\"", "\"boolean\""), UTF_8);
        assertEquals(
                "MathVista has no questions of kind boolean.",
                assertThrows(ScoringException.class, () -> run(data, (prompt, picture, max) -> "x"))
                        .getMessage());
        assertEquals(List.of(), asked);
    }

    @Test
    void twoQuestionsOfOneIdAreAFault() throws IOException {
        BenchmarkFolder data = data(Benchmark.DOCVQA, "json");
        Path file = folder.resolve("data/val_v1.0_withQT.json");
        Files.writeString(file, Files.readString(file, UTF_8).replace("103", "102"), UTF_8);
        assertTrue(assertThrows(BenchmarkRunException.class, () -> run(data, (prompt, picture, max) -> "x"))
                .getMessage()
                .startsWith("Two questions have the id 102"));
    }
}
