package dev.luq.benchmarks.data;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.JsonRows.Shape;
import dev.luq.benchmarks.scoring.MmeScorer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The forms in which each benchmark is published. Where a folder has several, the first one here is read. */
final class Layouts {

    private static final int MANY = Integer.MAX_VALUE;

    private final Benchmark benchmark;
    private final QuestionReader reader;

    private Layouts(Benchmark benchmark) {
        this.benchmark = benchmark;
        this.reader = QuestionReader.of(benchmark);
    }

    static List<Layout> of(Benchmark benchmark) {
        Layouts layouts = new Layouts(benchmark);
        return switch (benchmark) {
            case MME ->
                List.of(
                        layouts.parquet("test-*.parquet", "test-[^/]*"),
                        layouts.tsv("MME.tsv", "MME"),
                        layouts.mmeFolders());
            case MMBENCH ->
                List.of(
                        layouts.parquet("en/dev-*.parquet", "(?<!cn/)(?<!cc/)dev-[^/]*"),
                        layouts.tsv("MMBench_DEV_EN.tsv", "MMBench[^/]*|mmbench[^/]*"));
            case TEXTVQA ->
                List.of(
                        layouts.parquet("validation-*.parquet", "validation-[^/]*"),
                        layouts.tsv("TextVQA_VAL.tsv", "TextVQA[^/]*"),
                        layouts.json(
                                "TextVQA_0.5.1_val.json",
                                "TextVQA[^/]*_val",
                                1,
                                Shape.FIELD,
                                row -> row.text("image_id") + ".jpg"));
            case VQAV2 -> List.of(layouts.parquet("validation-*.parquet", "validation-[^/]*"), layouts.vqaV2());
            case GQA ->
                List.of(
                        layouts.gqaTables(),
                        layouts.tsv("GQA_TestDev_Balanced.tsv", "GQA[^/]*"),
                        layouts.json(
                                "testdev_balanced_questions.json",
                                "testdev_balanced_questions",
                                1,
                                Shape.KEYED,
                                row -> row.text("imageId") + ".jpg"));
            case POPE ->
                List.of(
                        layouts.parquet("test-*.parquet", "test-[^/]*"),
                        layouts.parquet(
                                "{random,popular,adversarial}-*.parquet", "(?:random|popular|adversarial)-[^/]*"),
                        layouts.tsv("POPE.tsv", "POPE"),
                        layouts.json(
                                "coco_pope_{random,popular,adversarial}.json",
                                "coco_pope_(?:random|popular|adversarial)",
                                MANY,
                                Shape.LINES,
                                row -> row.text("image")));
            case CHARTQA ->
                List.of(
                        layouts.parquet("test-*.parquet", "test-[^/]*"),
                        layouts.tsv("ChartQA_TEST.tsv", "ChartQA[^/]*"),
                        layouts.json(
                                "test_{human,augmented}.json",
                                "test_(?:human|augmented)",
                                MANY,
                                Shape.ARRAY,
                                row -> row.text("imgname")));
            case DOCVQA ->
                List.of(
                        layouts.parquet("validation-*.parquet", "(?<!InfographicVQA/)validation-[^/]*"),
                        layouts.tsv("DocVQA_VAL.tsv", "DocVQA[^/]*"),
                        layouts.json(
                                "val_v1.0_withQT.json",
                                "val_v1\\.0(?:_withQT)?",
                                1,
                                Shape.FIELD,
                                row -> row.text("image")));
            case MATHVISTA ->
                List.of(
                        layouts.parquet("testmini-*.parquet", "testmini-[^/]*"),
                        layouts.tsv("MathVista_MINI.tsv", "MathVista[^/]*"),
                        layouts.json("testmini.json", "testmini", 1, Shape.KEYED, row -> row.text("image")));
        };
    }

    /** @param names the file names without their ending, in any folder */
    private static Pattern files(String names, String ending) {
        return Pattern.compile("(?:.*/)?(?:" + names + ")\\." + ending);
    }

    private interface PictureOf {
        Picture find(Row row) throws IOException;
    }

    /** Reads each row with its picture. */
    private Questions questions(Rows rows, PictureOf picture) {
        return new Questions() {
            @Override
            public Optional<Question> next() throws IOException {
                Optional<Row> row = rows.next();
                return row.isEmpty() ? Optional.empty() : Optional.of(reader.read(row.get(), picture.find(row.get())));
            }

            @Override
            public void close() throws IOException {
                rows.close();
            }
        };
    }

    private Layout parquet(String name, String names) {
        Set<String> columns = new HashSet<>(QuestionReader.columns(benchmark));
        columns.addAll(Set.of("image", "decoded_image"));
        return new Layout(
                name,
                files(names, "parquet"),
                MANY,
                (folder, found) -> questions(
                        new FileRows(found, file -> new ParquetRows(file, columns)),
                        row -> Pictures.inRow(row, "decoded_image", "image")));
    }

    private Layout tsv(String name, String names) {
        return new Layout(name, files(names, "tsv"), 1, (folder, found) -> {
            Path file = found.get(0);
            TsvPictures pictures = new TsvPictures(() -> new TsvRows(file));
            return questions(new RowsAndPictures(new TsvRows(file), pictures), pictures::of);
        });
    }

    /** Closes both. */
    private record RowsAndPictures(Rows rows, TsvPictures pictures) implements Rows {
        @Override
        public Optional<Row> next() throws IOException {
            return rows.next();
        }

        @Override
        public void close() throws IOException {
            try (rows;
                    pictures) {
                // Also when one of them fails.
            }
        }
    }

    /** @param picture the name of a row's picture */
    private Layout json(String name, String names, int most, Shape shape, Function<Row, String> picture) {
        return new Layout(name, files(names, "json"), most, (folder, found) -> {
            Pictures pictures = new Pictures(folder, found);
            return questions(
                    new FileRows(found, file -> new JsonRows(file, shape, "data")),
                    row -> pictures.named(row, picture.apply(row)));
        });
    }

    private Layout vqaV2() {
        String annotations = "v2_mscoco_val2014_annotations.json";
        return new Layout(
                "v2_OpenEnded_mscoco_val2014_questions.json with " + annotations,
                files("v2_OpenEnded_mscoco_val2014_questions", "json"),
                1,
                (folder, found) -> {
                    Pictures pictures = new Pictures(folder, found);
                    return questions(
                            new JoinedRows(
                                    new FileRows(found, file -> new JsonRows(file, Shape.FIELD, "questions")),
                                    new FileRows(
                                            List.of(found.get(0).resolveSibling(annotations)),
                                            file -> new JsonRows(file, Shape.FIELD, "annotations")),
                                    "question_id"),
                            row -> pictures.named(
                                    row,
                                    String.format(Locale.ROOT, "COCO_val2014_%012d.jpg", row.integer("image_id"))));
                });
    }

    private Layout mmeFolders() {
        return new Layout(
                "CATEGORY/*.txt beside their pictures",
                Pattern.compile("(?:.*/)?(?:" + String.join("|", MmeScorer.categories())
                        + ")/(?:questions_answers_YN/)?[^/]+\\.txt"),
                MANY,
                (folder, found) -> {
                    // Their rows name them from the folder on.
                    Pictures pictures = new Pictures(folder, List.of());
                    return questions(new MmeRows(folder, found), row -> pictures.named(row, row.text("image")));
                });
    }

    private Layout gqaTables() {
        String questions = "testdev_balanced_instructions/";
        return new Layout(
                questions + "*.parquet with testdev_balanced_images/*.parquet",
                Pattern.compile("(?:.*/)?testdev_balanced_(?:instructions|images)/[^/]*\\.parquet"),
                MANY,
                (folder, files) -> {
                    List<Path> tables = files.stream()
                            .filter(file -> file.getParent().endsWith("testdev_balanced_instructions"))
                            .toList();
                    List<Path> images = files.stream()
                            .filter(file -> !tables.contains(file))
                            .toList();
                    if (tables.isEmpty() || images.isEmpty()) {
                        throw new BenchmarkDataException(
                                "GQA needs both testdev_balanced_instructions and testdev_balanced_images.");
                    }
                    return new GqaTables(
                            new FileRows(tables, file -> new ParquetRows(file, QuestionReader.columns(Benchmark.GQA))),
                            new FileRows(images, file -> new ParquetRows(file, Set.of("id", "image"))),
                            reader);
                });
    }
}
