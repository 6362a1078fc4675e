package dev.luq.benchmarks.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.benchmarks.Benchmark;
import dev.luq.parquet.ParquetSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Small sets in the forms in which the benchmarks are published. Question N is about picture N. */
public final class PublishedFiles {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String IMAGE =
            "optional group image { optional binary bytes; optional binary path (STRING); }";
    private static final String TEXTS =
            "optional group answers (LIST) { repeated group list { optional binary element (STRING); } }";
    private static final int QUESTIONS = 4;
    private static final int PEOPLE = 10;
    private static final String TAB = "\t";

    private final Path folder;
    private final Function<Integer, byte[]> picture;

    /** @param picture the file of picture N */
    public PublishedFiles(Path folder, Function<Integer, byte[]> picture) {
        this.folder = folder;
        this.picture = picture;
    }

    /** Forms of each benchmark. */
    static Map<Benchmark, List<String>> forms() {
        return Map.of(
                Benchmark.MME, List.of("parquet", "tsv", "folders"),
                Benchmark.MMBENCH, List.of("parquet", "tsv"),
                Benchmark.TEXTVQA, List.of("parquet", "tsv", "json"),
                Benchmark.VQAV2, List.of("parquet", "json"),
                Benchmark.GQA, List.of("parquet", "tsv", "json"),
                Benchmark.POPE, List.of("parquet", "tsv", "json"),
                Benchmark.CHARTQA, List.of("parquet", "tsv", "json"),
                Benchmark.DOCVQA, List.of("parquet", "tsv", "json"),
                Benchmark.MATHVISTA, List.of("parquet", "tsv", "json"));
    }

    /** Writes a benchmark in a form: two questions about each of two pictures for MME, else four questions. */
    public void write(Benchmark benchmark, String form) throws IOException {
        switch (form) {
            case "parquet" -> parquet(benchmark);
            case "tsv" -> tsv(benchmark);
            case "folders" -> folders();
            default -> json(benchmark);
        }
    }

    private static String schema(String... fields) {
        return "message schema { " + String.join(" ", fields) + " }";
    }

    private static String text(String name) {
        return "optional binary " + name + " (STRING);";
    }

    private static String number(String name) {
        return "optional int64 " + name + ";";
    }

    private ObjectNode row(int number) {
        ObjectNode row = JSON.createObjectNode().put("question", question(number));
        row.putObject("image").put("bytes", picture.apply(number)).put("path", number + ".jpg");
        return row;
    }

    static String question(int number) {
        return "what is IBM in " + number + "?";
    }

    private interface Fields {
        void fill(ObjectNode row, int number);
    }

    private void shards(String below, String schema, Fields fields) throws IOException {
        Path target = Files.createDirectories(folder.resolve(below));
        List<ObjectNode> rows = IntStream.range(0, QUESTIONS)
                .mapToObj(number -> {
                    ObjectNode row = row(number);
                    fields.fill(row, number);
                    return row;
                })
                .toList();
        String split = below.substring(below.lastIndexOf('/') + 1);
        Path parent = target.getParent();
        Files.delete(target);
        ParquetSet set = new ParquetSet(schema);
        set.write(parent.resolve(split + "-00000-of-00002.parquet"), rows.subList(0, QUESTIONS / 2));
        set.write(parent.resolve(split + "-00001-of-00002-0f1e2d.parquet"), rows.subList(QUESTIONS / 2, QUESTIONS));
    }

    private void parquet(Benchmark benchmark) throws IOException {
        switch (benchmark) {
            case MME ->
                shards(
                        "data/test",
                        schema(text("question_id"), IMAGE, text("question"), text("answer"), text("category")),
                        (row, n) -> row.put("question_id", "OCR/" + n / 2 + ".jpg")
                                .put("question", question(n) + " Please answer yes or no.")
                                .put("answer", n % 2 == 0 ? "Yes" : "No")
                                .put("category", "OCR")
                                .set("image", row(n / 2).get("image")));
            case MMBENCH ->
                shards(
                        "en/dev",
                        schema(
                                number("index"),
                                text("question"),
                                text("hint"),
                                text("answer"),
                                text("A"),
                                text("B"),
                                text("C"),
                                text("D"),
                                text("category"),
                                IMAGE),
                        (row, n) -> {
                            row.put("index", (n / 2) + 1_000_000L * (n % 2)).put("category", "shape");
                            row.put("hint", n < 2 ? "Look." : "nan").put("answer", n % 2 == 0 ? "A" : "B");
                            row.put("A", n % 2 == 0 ? "yes" : "no")
                                    .put("B", n % 2 == 0 ? "no" : "yes")
                                    .put("C", "nan");
                        });
            case TEXTVQA ->
                shards(
                        "data/validation",
                        schema(number("question_id"), text("image_id"), text("question"), TEXTS, IMAGE),
                        (row, n) -> {
                            row.put("question_id", 100L + n).put("image_id", "id" + n);
                            people(n).forEach(row.withArray("/answers")::add);
                        });
            case VQAV2 ->
                shards(
                        "data/validation",
                        schema(
                                number("question_id"),
                                text("question"),
                                text("answer_type"),
                                IMAGE,
                                "optional group answers (LIST) { repeated group list { optional group element {"
                                        + " optional binary answer (STRING); optional int64 answer_id; } } }"),
                        (row, n) -> {
                            row.put("question_id", 100L + n).put("answer_type", "other");
                            people(n).forEach(text -> row.withArray("/answers")
                                    .addObject()
                                    .put("answer", text));
                        });
            case GQA -> {
                shards(
                        "testdev_balanced_instructions/testdev",
                        schema(text("id"), text("imageId"), text("question"), text("answer")),
                        (row, n) ->
                                row.put("id", "q" + n).put("imageId", "n" + n).put("answer", answer(n)));
                shards(
                        "testdev_balanced_images/testdev",
                        schema(text("id"), IMAGE),
                        (row, n) -> row.put("id", "n" + n));
            }
            case POPE ->
                shards(
                        "data/test",
                        schema(text("question_id"), text("question"), text("answer"), text("category"), IMAGE),
                        (row, n) -> row.put("question_id", Integer.toString(n / 2))
                                .put("answer", n % 2 == 0 ? "yes" : "no")
                                .put("category", n % 2 == 0 ? "random" : "popular"));
            case CHARTQA ->
                shards("data/test", schema(text("type"), text("question"), text("answer"), IMAGE), (row, n) -> row.put(
                                "type", n < 2 ? "human_test" : "augmented_test")
                        .put("answer", answer(n)));
            case DOCVQA ->
                shards(
                        "DocVQA/validation",
                        schema(text("questionId"), text("question"), TEXTS, IMAGE),
                        (row, n) -> row.put("questionId", Integer.toString(100 + n))
                                .putArray("answers")
                                .add(answer(n)));
            case MATHVISTA ->
                shards(
                        "data/testmini",
                        schema(
                                text("pid"),
                                text("question"),
                                text("query"),
                                text("unit"),
                                text("answer"),
                                text("question_type"),
                                text("answer_type"),
                                "optional double precision;",
                                "optional group decoded_image { optional binary bytes; }",
                                text("image"),
                                "optional group choices (LIST) { repeated group list { optional binary element"
                                        + " (STRING); } }",
                                "optional group metadata { optional binary task (STRING); }"),
                        (row, n) -> {
                            row.set("decoded_image", row.get("image"));
                            row.put("image", "images/" + n + ".jpg");
                            math(row, n);
                            row.put("query", query(n));
                            row.put("pid", Integer.toString(n + 1));
                        });
        }
    }

    /** Of kind multi_choice, integer, float and list. */
    private static void math(ObjectNode row, int n) {
        row.put("question_type", n == 0 ? "multi_choice" : "free_form")
                .put("answer_type", List.of("text", "integer", "float", "list").get(n))
                .put("answer", List.of("osaka", "14", "1.2", "[1, 2]").get(n));
        if (n == 0) {
            row.putArray("choices").add("tokyo").add("osaka");
        } else if (n == 1) {
            row.put("unit", "$");
        } else if (n == 2) {
            row.put("precision", 1.0);
        }
        row.putObject("metadata").put("task", "figure question answering");
    }

    /** The query of each question of MathVista. */
    static String query(int number) {
        return List.of(
                        "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at"
                                + " the end.\nQuestion: what is IBM in 0?\nChoices:\n(A) tokyo\n(B) osaka",
                        "Hint: Please answer the question requiring an integer answer and provide the final value,"
                                + " e.g., 1, 2, 3, at the end.\nQuestion: what is IBM in 1? (Unit: $)",
                        "Hint: Please answer the question requiring a floating-point number with one decimal place and"
                                + " provide the final value, e.g., 1.2, 1.3, 1.4, at the end.\n"
                                + "Question: what is IBM in 2?",
                        "Hint: Please answer the question requiring a Python list as an answer and provide the final"
                                + " list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.\nQuestion: what is IBM in 3?")
                .get(number);
    }

    static String answer(int number) {
        return "answer " + number;
    }

    static List<String> people(int number) {
        return IntStream.range(0, PEOPLE)
                .mapToObj(i -> i < PEOPLE / 2 ? answer(number) : "it's \"" + i + "\"")
                .toList();
    }

    private String base64(int number) {
        byte[] bytes = picture.apply(number);
        String text = Base64.getEncoder().encodeToString(bytes);
        if (text.length() <= TsvPictures.LONGEST_INDEX) {
            throw new IllegalArgumentException("a picture must be longer than an index");
        }
        return text;
    }

    /** As Python writes it. */
    private static String list(List<String> texts) {
        return texts.stream()
                .map(text -> text.contains("'") ? "\"" + text.replace("\"", "\\\"") + "\"" : "'" + text + "'")
                .toList()
                .toString();
    }

    private void lines(String name, String header, Function<Integer, String> line) throws IOException {
        StringBuilder text = new StringBuilder(header.replace(' ', '\t')).append('\n');
        IntStream.range(0, QUESTIONS).forEach(n -> text.append(line.apply(n)).append('\n'));
        Files.writeString(folder.resolve(name), text, UTF_8);
    }

    private static String quoted(String field) {
        return "\"" + field.replace("\"", "\"\"") + "\"";
    }

    private void tsv(Benchmark benchmark) throws IOException {
        switch (benchmark) {
            case MME ->
                lines(
                        "MME.tsv",
                        "index image image_path question answer category",
                        n -> String.join(
                                TAB,
                                Integer.toString(n),
                                base64(n / 2),
                                "OCR/" + n / 2 + ".jpg",
                                question(n) + " Please answer yes or no.",
                                n % 2 == 0 ? "Yes" : "No",
                                "OCR"));
            case MMBENCH ->
                lines(
                        "MMBench_DEV_EN.tsv",
                        "index question hint A B C D answer category image source",
                        n -> String.join(
                                TAB,
                                Long.toString(n % 2 + (n < 2 ? 0 : 1_000_000L)),
                                quoted("Which \"thing\"\nis it?"),
                                n % 2 == 0 ? "Look." : "",
                                n < 2 ? "yes" : "no",
                                n < 2 ? "no" : "yes",
                                "",
                                "",
                                n < 2 ? "A" : "B",
                                "shape",
                                n < 2 ? base64(n) : Integer.toString(n % 2),
                                "us"));
            case TEXTVQA ->
                lines(
                        "TextVQA_VAL.tsv",
                        "index question answer image",
                        n -> String.join(TAB, Integer.toString(n), question(n), quoted(list(people(n))), base64(n)));
            case GQA ->
                lines(
                        "GQA_TestDev_Balanced.tsv",
                        "index question answer image",
                        n -> String.join(TAB, Integer.toString(n), question(n), answer(n), base64(n)));
            case POPE ->
                lines(
                        "POPE.tsv",
                        "index category image question answer",
                        n -> String.join(
                                TAB,
                                Integer.toString(n),
                                n < 2 ? "random,popular" : "adversarial",
                                base64(n),
                                question(n),
                                n % 2 == 0 ? "Yes" : "No"));
            case CHARTQA ->
                lines(
                        "ChartQA_TEST.tsv",
                        "index split question answer image",
                        n -> String.join(
                                TAB,
                                Integer.toString(n),
                                n < 2 ? "test_human" : "test_augmented",
                                question(n),
                                answer(n),
                                base64(n)));
            case DOCVQA ->
                lines(
                        "DocVQA_VAL.tsv",
                        "index question answer image",
                        n -> String.join(
                                TAB,
                                Integer.toString(n),
                                question(n),
                                quoted(list(List.of(answer(n), "x"))),
                                base64(n)));
            case MATHVISTA ->
                lines(
                        "MathVista_MINI.tsv",
                        "index question image choices answer question_type answer_type task",
                        n -> String.join(
                                TAB,
                                Integer.toString(n),
                                quoted(query(n)),
                                base64(n),
                                n == 0 ? "['tokyo', 'osaka']" : "",
                                List.of("osaka", "14", "1.2", "[1, 2]").get(n),
                                n == 0 ? "multi_choice" : "free_form",
                                List.of("text", "integer", "float", "list").get(n),
                                "figure question answering"));
            default -> throw new IllegalArgumentException(benchmark.id());
        }
    }

    private void pictures(String below, Function<Integer, String> name) throws IOException {
        Path target = Files.createDirectories(folder.resolve(below));
        for (int n = 0; n < QUESTIONS; n++) {
            Files.write(target.resolve(name.apply(n)), picture.apply(n));
        }
    }

    private void folders() throws IOException {
        for (int n = 0; n < QUESTIONS / 2; n++) {
            String category = n == 0 ? "OCR" : "artwork";
            Path questions = n == 0 ? folder.resolve("OCR") : folder.resolve("artwork/questions_answers_YN");
            Path images = n == 0 ? questions : folder.resolve(category).resolve("images");
            Files.createDirectories(questions);
            Files.createDirectories(images);
            Files.write(images.resolve(n + ".jpg"), picture.apply(n));
            Files.writeString(
                    questions.resolve(n + ".txt"),
                    question(2 * n) + " Please answer yes or no.\tYes\n" + question(2 * n + 1)
                            + " Please answer yes or no.\tNo\n",
                    UTF_8);
        }
    }

    private void write(String name, Object json) throws IOException {
        Files.write(folder.resolve(name), JSON.writeValueAsBytes(json));
    }

    private List<ObjectNode> objects(Fields fields) {
        return IntStream.range(0, QUESTIONS)
                .mapToObj(n -> {
                    ObjectNode object = JSON.createObjectNode().put("question", question(n));
                    fields.fill(object, n);
                    return object;
                })
                .toList();
    }

    private ObjectNode keyed(Function<Integer, String> key, Fields fields) {
        ObjectNode all = JSON.createObjectNode();
        List<ObjectNode> objects = objects(fields);
        IntStream.range(0, QUESTIONS).forEach(n -> all.set(key.apply(n), objects.get(n)));
        return all;
    }

    private void json(Benchmark benchmark) throws IOException {
        switch (benchmark) {
            case TEXTVQA -> {
                pictures("train_images", n -> "id" + n + ".jpg");
                write("TextVQA_0.5.1_val.json", Map.of("data", objects((row, n) -> {
                    row.put("question_id", 100 + n).put("image_id", "id" + n);
                    people(n).forEach(row.withArray("/answers")::add);
                })));
            }
            case VQAV2 -> {
                pictures("val2014", n -> "COCO_val2014_00000000000" + n + ".jpg");
                write(
                        "v2_OpenEnded_mscoco_val2014_questions.json",
                        JSON.createObjectNode()
                                .put("license", "none")
                                .set("questions", JSON.valueToTree(objects((row, n) -> row.put("question_id", 100 + n)
                                        .put("image_id", n)))));
                write("v2_mscoco_val2014_annotations.json", Map.of("annotations", objects((row, n) -> {
                    row.put("question_id", 100 + n).put("image_id", n).put("answer_type", "other");
                    people(n)
                            .forEach(text ->
                                    row.withArray("/answers").addObject().put("answer", text));
                })));
            }
            case GQA -> {
                pictures("images", n -> "n" + n + ".jpg");
                write("testdev_balanced_questions.json", keyed(n -> "q" + n, (row, n) -> row.put("imageId", "n" + n)
                        .put("answer", answer(n))));
            }
            case POPE -> {
                pictures("val2014", n -> "COCO_" + n + ".jpg");
                for (String category : List.of("popular", "random")) {
                    StringBuilder lines = new StringBuilder();
                    for (ObjectNode row : objects((row, n) -> row.put("question_id", n / 2 + 1)
                            .put("text", question(n))
                            .put("label", n % 2 == 0 ? "yes" : "no")
                            .put("image", "COCO_" + n + ".jpg"))) {
                        row.remove("question");
                        int n = lines.toString().split("\n", -1).length - 1;
                        if (category.equals(n % 2 == 0 ? "random" : "popular")) {
                            lines.append(row).append('\n');
                        } else {
                            lines.append('\n');
                        }
                    }
                    Files.writeString(folder.resolve("coco_pope_" + category + ".json"), lines, UTF_8);
                }
            }
            case CHARTQA -> {
                pictures("png", n -> n + ".png");
                List<ObjectNode> rows = objects((row, n) ->
                        row.put("imgname", n + ".png").put("query", question(n)).put("label", answer(n)));
                rows.forEach(row -> row.remove("question"));
                write("test_human.json", rows.subList(0, 2));
                write("test_augmented.json", rows.subList(2, QUESTIONS));
            }
            case DOCVQA -> {
                pictures("documents", n -> "page" + n + ".png");
                write("val_v1.0_withQT.json", Map.of("data", objects((row, n) -> row.put("questionId", 100 + n)
                        .put("image", "documents/page" + n + ".png")
                        .putArray("answers")
                        .add(answer(n)))));
            }
            case MATHVISTA -> {
                pictures("images", n -> n + ".jpg");
                write("testmini.json", keyed(n -> Integer.toString(n + 1), (row, n) -> {
                    row.put("image", "images/" + n + ".jpg");
                    math(row, n);
                }));
            }
            default -> throw new IllegalArgumentException(benchmark.id());
        }
    }
}
