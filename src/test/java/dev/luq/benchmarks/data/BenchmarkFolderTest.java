package dev.luq.benchmarks.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.scoring.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchmarkFolderTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @TempDir
    Path beside;

    /** Long enough to be no index of another row. */
    private static byte[] picture(int number) {
        return ("picture " + number + " ".repeat(60)).getBytes(UTF_8);
    }

    private List<Question> write(Benchmark benchmark, String form) throws IOException {
        new PublishedFiles(folder, BenchmarkFolderTest::picture).write(benchmark, form);
        return read(benchmark);
    }

    private List<Question> read(Benchmark benchmark) throws IOException {
        List<Question> all = new ArrayList<>();
        try (Questions questions = BenchmarkFolder.of(benchmark, folder).open()) {
            for (Optional<Question> next = questions.next(); next.isPresent(); next = questions.next()) {
                Question question = next.get();
                byte[] bytes = question.picture().bytes();
                all.add(new Question(
                        question.id(),
                        question.text(),
                        question.hint(),
                        question.query(),
                        question.unit(),
                        question.reference(),
                        () -> bytes));
            }
        }
        return all;
    }

    private String refused(Benchmark benchmark) {
        return assertThrows(BenchmarkDataException.class, () -> read(benchmark)).getMessage();
    }

    static Stream<Arguments> forms() {
        return PublishedFiles.forms().entrySet().stream()
                .flatMap(entry -> entry.getValue().stream().map(form -> Arguments.of(entry.getKey(), form)));
    }

    /** What differs between the forms of a benchmark is how its rows are numbered, and what a form leaves out. */
    @ParameterizedTest
    @MethodSource("forms")
    void everyPublishedFormHasTheSameQuestions(Benchmark benchmark, String form) throws IOException {
        List<Question> questions = write(benchmark, form);
        assertEquals(4, questions.size());
        assertEquals(4, new HashSet<>(questions.stream().map(Question::id).toList()).size(), "ids are unique");
        for (int n = 0; n < 4; n++) {
            Question question = questions.get(n);
            assertArrayEquals(
                    picture(pictureOf(benchmark, form, n)), question.picture().bytes(), "picture of " + n);
            if (benchmark != Benchmark.MMBENCH) {
                int number = benchmark == Benchmark.MME ? n : pictureOf(benchmark, form, n);
                assertTrue(question.text().startsWith(PublishedFiles.question(number)), question.text());
            }
        }
    }

    private static int pictureOf(Benchmark benchmark, String form, int number) {
        return switch (benchmark) {
            case MME -> number / 2;
            case MMBENCH -> form.equals("tsv") ? number % 2 : number;
            // The files of the makers are one after the other.
            case POPE -> form.equals("json") ? List.of(1, 3, 0, 2).get(number) : number;
            case CHARTQA -> form.equals("json") ? (number + 2) % 4 : number;
            default -> number;
        };
    }

    @Test
    void peopleAnswerQuestionsOfTextVqaAndVqaV2() throws IOException {
        for (String form : List.of("parquet", "tsv", "json")) {
            Question last = write(Benchmark.TEXTVQA, form).get(3);
            assertEquals(Reference.of(PublishedFiles.people(3), null), last.reference(), form);
            clear();
        }
        for (String form : List.of("parquet", "json")) {
            Question last = write(Benchmark.VQAV2, form).get(3);
            assertEquals(Reference.of(PublishedFiles.people(3), "other"), last.reference(), form);
            assertEquals("103", last.id());
            clear();
        }
    }

    private void clear() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(folder)) {
                    Files.delete(file);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "tsv"})
    void rotationsOfMmBenchAreAGroup(String form) throws IOException {
        List<Question> questions = write(Benchmark.MMBENCH, form);
        assertEquals(
                List.of("0", "0", "1", "1"),
                questions.stream()
                        .map(question -> question.reference().group())
                        .sorted()
                        .toList());
        Question first = questions.get(0);
        assertEquals(List.of("yes", "no"), first.reference().options());
        assertEquals("Look.", first.hint());
        Question rotated = questions.stream()
                .filter(question -> question.id().equals("1000001"))
                .findFirst()
                .orElseThrow();
        assertEquals(List.of("no", "yes"), rotated.reference().options());
        assertEquals(List.of("B"), rotated.reference().answers());
        assertEquals(null, rotated.hint());
    }

    @Test
    void fieldsOfTsvMaySpanLines() throws IOException {
        assertEquals(
                "Which \"thing\"\nis it?",
                write(Benchmark.MMBENCH, "tsv").get(0).text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "tsv", "folders"})
    void bothQuestionsAboutAPictureOfMmeAreAGroup(String form) throws IOException {
        List<Question> questions = write(Benchmark.MME, form);
        assertEquals(
                questions.get(0).reference().group(),
                questions.get(1).reference().group());
        assertEquals("OCR", questions.get(0).reference().category());
        assertEquals(List.of("Yes"), questions.get(0).reference().answers());
        assertEquals(List.of("No"), questions.get(3).reference().answers());
    }

    @Test
    void categoriesOfPopeComeFromRowsOrFileNames() throws IOException {
        List<Question> rows = write(Benchmark.POPE, "parquet");
        assertEquals("random/0", rows.get(0).id());
        assertEquals("popular", rows.get(1).reference().category());
        clear();
        List<Question> files = write(Benchmark.POPE, "json");
        assertEquals("popular/1", files.get(0).id());
        assertEquals("random", files.get(3).reference().category());
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "tsv", "json"})
    void questionsOfChartQaAreOfPeopleOrMade(String form) throws IOException {
        List<Question> questions = write(Benchmark.CHARTQA, form);
        List<String> origins = questions.stream()
                .map(question -> question.reference().category())
                .sorted()
                .toList();
        assertEquals(List.of("augmented", "augmented", "human", "human"), origins);
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "tsv", "json"})
    void questionsOfMathVistaHaveTheirKind(String form) throws IOException {
        List<Question> questions = write(Benchmark.MATHVISTA, form);
        assertEquals(
                List.of("multi_choice", "integer", "float", "list"),
                questions.stream().map(question -> question.reference().kind()).toList());
        assertEquals(List.of("tokyo", "osaka"), questions.get(0).reference().options());
        assertEquals(1, questions.get(2).reference().precision());
        assertEquals("figure question answering", questions.get(0).reference().category());
    }

    /** The makers' file has no query, and VLMEvalKit's has it where the others have the question. */
    @ParameterizedTest
    @ValueSource(strings = {"parquet", "tsv", "json"})
    void questionsOfMathVistaHaveOneQueryInEveryForm(String form) throws IOException {
        List<Question> questions = write(Benchmark.MATHVISTA, form);
        for (int n = 0; n < 4; n++) {
            assertEquals(PublishedFiles.query(n), questions.get(n).query());
        }
        assertEquals(PublishedFiles.question(0), questions.get(0).text(), "without the choices");
        assertEquals(
                PublishedFiles.question(1) + (form.equals("tsv") ? " (Unit: $)" : ""),
                questions.get(1).text());
        assertEquals(form.equals("tsv") ? null : "$", questions.get(1).unit());
    }

    @Test
    void aUnitStandsOnceInAQuestionOfMathVista() throws IOException {
        write(Benchmark.MATHVISTA, "json");
        Path file = folder.resolve("testmini.json");
        ObjectNode all = (ObjectNode) JSON.readTree(file.toFile());
        ((ObjectNode) all.get("2")).put("question", PublishedFiles.query(1));
        JSON.writeValue(file.toFile(), all);
        Question question = read(Benchmark.MATHVISTA).get(1);
        assertEquals(PublishedFiles.question(1), question.text());
        assertEquals("$", question.unit());
        assertEquals(PublishedFiles.query(1), question.query());
    }

    @Test
    void anEmptyFolderSaysWhatItLacks() {
        String message = refused(Benchmark.TEXTVQA);
        assertTrue(message.contains("validation-*.parquet, or TextVQA_VAL.tsv, or TextVQA_0.5.1_val.json"), message);
        assertTrue(assertThrows(
                        BenchmarkDataException.class, () -> BenchmarkFolder.of(Benchmark.GQA, folder.resolve("none")))
                .getMessage()
                .startsWith("There is no folder or file "));
    }

    @Test
    void aLinkToAFolderIsThatFolder() throws IOException {
        write(Benchmark.DOCVQA, "json");
        Path link = Files.createSymbolicLink(beside.resolve("link"), folder);
        assertEquals(BenchmarkFolder.of(Benchmark.DOCVQA, folder), BenchmarkFolder.of(Benchmark.DOCVQA, link));
    }

    @Test
    void twoTablesOfOneKindAreNotGuessedBetween() throws IOException {
        write(Benchmark.MMBENCH, "tsv");
        Files.copy(folder.resolve("MMBench_DEV_EN.tsv"), folder.resolve("MMBench_DEV_EN_V11.tsv"));
        String message = refused(Benchmark.MMBENCH);
        assertTrue(message.contains("MMBench_DEV_EN.tsv, MMBench_DEV_EN_V11.tsv. Give one of them"), message);
    }

    @Test
    void oneFileOfAFolderMayBeGiven() throws IOException {
        write(Benchmark.MMBENCH, "tsv");
        Path one = folder.resolve("MMBench_DEV_EN.tsv");
        Files.copy(one, folder.resolve("MMBench_DEV_EN_V11.tsv"));
        BenchmarkFolder given = BenchmarkFolder.of(Benchmark.MMBENCH, one);
        assertEquals(List.of(one.toRealPath()), given.files());
        try (Questions questions = given.open()) {
            assertEquals("0", questions.next().orElseThrow().id());
        }
        assertTrue(assertThrows(BenchmarkDataException.class, () -> BenchmarkFolder.of(Benchmark.GQA, one))
                .getMessage()
                .startsWith("There is nothing of GQA in " + one));
        write(Benchmark.DOCVQA, "json");
        try (Questions questions = BenchmarkFolder.of(Benchmark.DOCVQA, folder.resolve("val_v1.0_withQT.json"))
                .open()) {
            assertArrayEquals(
                    picture(0), questions.next().orElseThrow().picture().bytes(), "with the pictures beside it");
        }
    }

    @Test
    void aFileThatIsALinkHasItsOwnName() throws IOException {
        write(Benchmark.GQA, "tsv");
        Path blob = Files.move(folder.resolve("GQA_TestDev_Balanced.tsv"), beside.resolve("0f1e2d"));
        Path link = Files.createSymbolicLink(folder.resolve("GQA_TestDev_Balanced.tsv"), blob);
        assertEquals(BenchmarkFolder.of(Benchmark.GQA, folder), BenchmarkFolder.of(Benchmark.GQA, link));
    }

    @Test
    void whatVlmEvalKitMakesOfALargeFileIsNotRead() throws IOException {
        write(Benchmark.GQA, "tsv");
        Files.writeString(folder.resolve("GQA_TestDev_Balanced_local.tsv"), "index\timage_path\n", UTF_8);
        assertEquals(4, read(Benchmark.GQA).size());
    }

    @Test
    void picturesLieInTheFolder() throws IOException {
        write(Benchmark.DOCVQA, "json");
        Path file = folder.resolve("val_v1.0_withQT.json");
        String text = Files.readString(file, UTF_8);
        Files.writeString(file, text.replace("documents/page2.png", "../page2.png"), UTF_8);
        assertTrue(
                refused(Benchmark.DOCVQA).startsWith("val_v1.0_withQT.json, row 3: the picture ../page2.png is not"));
        Files.writeString(file, text.replace("documents/page2.png", "documents/none.png"), UTF_8);
        assertTrue(refused(Benchmark.DOCVQA).contains("row 3: the picture documents/none.png is not"));
        assertTrue(refused(Benchmark.DOCVQA)
                .endsWith("in one of images, train_images, val2014, png, test/png, spdocvqa_images: put the pictures"
                        + " there."));
    }

    @Test
    void damageIsToldWithItsFileAndRow() throws IOException {
        write(Benchmark.CHARTQA, "json");
        Path file = folder.resolve("test_human.json");
        Files.writeString(file, Files.readString(file, UTF_8).replace(",\"label\":\"answer 0\"", ""), UTF_8);
        assertTrue(refused(Benchmark.CHARTQA).contains("there is no \"answer\" or \"label\""));
        assertTrue(
                refused(Benchmark.CHARTQA).startsWith("test_human.json, row 1: "), "of its file, which is the second");
        Files.writeString(file, "[{\"query\": }]", UTF_8);
        assertTrue(refused(Benchmark.CHARTQA).startsWith("test_human.json, line 1: "));
        Files.writeString(file, "{}", UTF_8);
        assertTrue(refused(Benchmark.CHARTQA).endsWith("has not the form in which it is published."));
    }

    @Test
    void questionsOfMmeAreUtf8() throws IOException {
        write(Benchmark.MME, "folders");
        Path file;
        try (Stream<Path> files = Files.walk(folder)) {
            file = files.filter(path -> path.toString().endsWith(".txt"))
                    .findFirst()
                    .orElseThrow();
        }
        Files.write(file, "Is this a caf\u00e9?\tYes\n".getBytes(ISO_8859_1));
        assertEquals(file.getFileName() + " is not UTF-8.", refused(Benchmark.MME));
    }

    @Test
    void questionsAndAnnotationsBelongTogether() throws IOException {
        write(Benchmark.VQAV2, "json");
        Path file = folder.resolve("v2_mscoco_val2014_annotations.json");
        String text = Files.readString(file, UTF_8);
        Files.writeString(file, text.replace("\"question_id\":102", "\"question_id\":7"), UTF_8);
        assertTrue(refused(Benchmark.VQAV2).contains("row 3: its question_id is not that of the same row"));
    }

    @Test
    void everyPictureOfGqaMustBeThere() throws IOException {
        write(Benchmark.GQA, "parquet");
        Files.delete(folder.resolve("testdev_balanced_images/testdev-00001-of-00002-0f1e2d.parquet"));
        assertTrue(refused(Benchmark.GQA).contains("download all of testdev_balanced_images"));
    }

    /** Replaces a text of a TSV file's row, which ends with its picture. */
    private void change(String name, String before, String after) throws IOException {
        Path file = folder.resolve(name);
        String text = Files.readString(file, UTF_8);
        assertTrue(text.contains(before), text);
        Files.writeString(file, text.replace(before, after), UTF_8);
    }

    private static String base64(int number) {
        return Base64.getEncoder().encodeToString(picture(number));
    }

    @ParameterizedTest
    @EnumSource(
            value = Benchmark.class,
            names = {"TEXTVQA", "GQA", "CHARTQA", "DOCVQA", "POPE", "MATHVISTA"})
    void aPictureMayBeThatOfARowBeforeOrAfterIt(Benchmark benchmark) throws IOException {
        write(benchmark, "tsv");
        String name = BenchmarkFolder.of(benchmark, folder)
                .files()
                .get(0)
                .getFileName()
                .toString();
        change(name, base64(0), "2");
        change(name, base64(3), "1");
        List<Question> questions = read(benchmark);
        for (int n = 0; n < 4; n++) {
            assertArrayEquals(
                    picture(List.of(2, 1, 2, 1).get(n)),
                    questions.get(n).picture().bytes());
        }
    }

    @Test
    void aPictureIsNotThatOfARowWithoutOne() throws IOException {
        write(Benchmark.GQA, "tsv");
        change("GQA_TestDev_Balanced.tsv", base64(0), "1");
        change("GQA_TestDev_Balanced.tsv", base64(1), "2");
        assertTrue(refused(Benchmark.GQA)
                .endsWith("row 1: the picture is that of row 1, which is not there or has none itself."));
        change("GQA_TestDev_Balanced.tsv", "\t1\n", "\t7\n");
        assertTrue(refused(Benchmark.GQA).contains("the picture is that of row 7"));
    }

    /** Moves what was written one folder down, but for what is named. */
    private void moveBelow(String below, String... but) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.list(folder)) {
            all = files.filter(file -> !List.of(but).contains(file.getFileName().toString()))
                    .toList();
        }
        Path target = Files.createDirectories(folder.resolve(below));
        for (Path file : all) {
            Files.move(file, target.resolve(file.getFileName()));
        }
    }

    @Test
    void docVqaMayLieAsItsArchivesUnpack() throws IOException {
        write(Benchmark.DOCVQA, "json");
        Files.move(folder.resolve("documents"), folder.resolve("spdocvqa_images"));
        moveBelow("spdocvqa_qas", "spdocvqa_images");
        assertEquals(4, read(Benchmark.DOCVQA).size());
        moveBelow("DocVQA");
        assertEquals(4, read(Benchmark.DOCVQA).size(), "in the folder of both");
    }

    @Test
    void picturesMayLieBesideTheFileOfQuestions() throws IOException {
        write(Benchmark.MATHVISTA, "json");
        moveBelow("data");
        assertEquals(4, read(Benchmark.MATHVISTA).size());
        clear();
        write(Benchmark.CHARTQA, "json");
        moveBelow("ChartQA Dataset/test");
        assertEquals(4, read(Benchmark.CHARTQA).size());
    }

    @Test
    void picturesAboveTheFolderAreNotRead() throws IOException {
        write(Benchmark.DOCVQA, "json");
        moveBelow("qas", "documents");
        assertEquals(4, read(Benchmark.DOCVQA).size());
        assertTrue(assertThrows(
                        BenchmarkDataException.class, () -> BenchmarkFolder.of(Benchmark.DOCVQA, folder.resolve("qas"))
                                .open()
                                .next())
                .getMessage()
                .contains("the picture documents/page0.png is not"));
    }
}
