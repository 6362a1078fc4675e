package dev.luq.benchmarks.data;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes questions of rows. The same fields mean the same in every release of a benchmark, whatever they are called. */
@FunctionalInterface
interface QuestionReader {

    Question read(Row row, Picture picture);

    /** Rotations of a question of MMBench have its index and a multiple of this. */
    long ROTATION = 1_000_000;

    /** The reader of a benchmark. */
    static QuestionReader of(Benchmark benchmark) {
        return switch (benchmark) {
            case MME -> QuestionReader::mme;
            case MMBENCH -> QuestionReader::mmBench;
            case TEXTVQA, DOCVQA -> QuestionReader::answers;
            case VQAV2 -> QuestionReader::vqaV2;
            case GQA -> QuestionReader::gqa;
            case POPE -> QuestionReader::pope;
            case CHARTQA -> QuestionReader::chartQa;
            case MATHVISTA -> QuestionReader::mathVista;
        };
    }

    /** The columns that the reader of a benchmark looks at, without pictures. */
    static Set<String> columns(Benchmark benchmark) {
        return switch (benchmark) {
            case MME -> Set.of("question_id", "question", "answer", "category");
            case MMBENCH ->
                Set.of("index", "question", "hint", "answer", "category", "A", "B", "C", "D", "E", "F", "G", "H");
            case TEXTVQA, DOCVQA -> Set.of("question_id", "questionId", "question", "answers");
            case VQAV2 -> Set.of("question_id", "question", "answers", "answer_type");
            case GQA -> Set.of("id", "imageId", "question", "answer");
            case POPE -> Set.of("question_id", "question", "answer", "category");
            case CHARTQA -> Set.of("type", "human_or_machine", "question", "query", "answer", "label");
            case MATHVISTA ->
                Set.of(
                        "pid",
                        "question",
                        "query",
                        "unit",
                        "choices",
                        "answer",
                        "question_type",
                        "answer_type",
                        "precision",
                        "metadata");
        };
    }

    private static String rowId(Row row) {
        return row.optional("index").orElseGet(() -> Long.toString(row.position()));
    }

    private static Question mme(Row row, Picture picture) {
        return new Question(
                rowId(row),
                row.text("question"),
                Reference.inGroup(row.text("answer"), row.text("category"), row.text("question_id", "image_path")),
                picture);
    }

    private static Question mmBench(Row row, Picture picture) {
        List<String> options = new ArrayList<>();
        for (char letter = 'A'; letter <= 'H'; letter++) {
            Optional<String> option = row.optional(Character.toString(letter));
            if (option.isEmpty()) {
                break;
            }
            options.add(option.get());
        }
        long index = row.integer("index");
        return new Question(
                Long.toString(index),
                row.text("question"),
                row.optional("hint").orElse(null),
                null,
                null,
                new Reference(
                        List.of(row.text("answer")),
                        row.optional("category").orElse(null),
                        Long.toString(index % ROTATION),
                        options,
                        null,
                        null),
                picture);
    }

    private static Question answers(Row row, Picture picture) {
        return new Question(
                row.text("question_id", "questionId", "index"),
                row.text("question"),
                Reference.of(row.texts("answers", "answer"), null),
                picture);
    }

    private static Question vqaV2(Row row, Picture picture) {
        return new Question(
                row.text("question_id", "index"),
                row.text("question"),
                Reference.of(
                        row.texts("answers", "answer"),
                        row.optional("answer_type").orElse(null)),
                picture);
    }

    private static Question gqa(Row row, Picture picture) {
        return new Question(
                row.text("id", JsonRows.KEY, "index"),
                row.text("question"),
                Reference.of(List.of(row.text("answer")), null),
                picture);
    }

    /** The makers' files are one for each way in which the absent things were chosen, which is in their names. */
    private static Question pope(Row row, Picture picture) {
        String category = row.optional("category")
                .orElseGet(() -> row.file().replaceAll("^.*_(random|popular|adversarial)\\.jsonl?$", "$1"));
        return new Question(
                row.optional("index").orElseGet(() -> category + "/" + row.text("question_id")),
                row.text("question", "text"),
                Reference.of(List.of(row.text("answer", "label")), category),
                picture);
    }

    /** Questions of people and those that were made of summaries; the makers' files are one for each. */
    private static Question chartQa(Row row, Picture picture) {
        String origin = row.optional("type", "split").orElse(row.file());
        boolean human = row.optional("human_or_machine")
                .map(machine -> machine.equals("0"))
                .orElse(origin.contains("human"));
        return new Question(
                rowId(row),
                row.text("question", "query"),
                Reference.of(row.texts("answer", "label"), human ? "human" : "augmented"),
                picture);
    }

    private static Question mathVista(Row row, Picture picture) {
        boolean choice = row.text("question_type").equals(MathVista.MULTI_CHOICE);
        String answer = row.text("answer");
        String kind = choice ? MathVista.MULTI_CHOICE : row.text("answer_type");
        Reference reference = new Reference(
                List.of(answer),
                row.find("metadata")
                        .map(metadata -> metadata.path("task").textValue())
                        .or(() -> row.optional("task"))
                        .orElse(null),
                null,
                choice ? row.texts("choices") : List.of(),
                kind,
                kind.equals(MathVista.FLOAT) ? precision(row, answer) : null);
        String unit = row.optional("unit").orElse(null);
        String text = row.text("question");
        return new Question(
                row.text("pid", JsonRows.KEY, "index"),
                MathVistaQuery.isQuery(text) ? MathVistaQuery.question(text, unit) : text,
                null,
                row.optional("query")
                        .orElseGet(
                                () -> MathVistaQuery.isQuery(text) ? text : MathVistaQuery.of(text, unit, reference)),
                unit,
                reference,
                picture);
    }

    /** Decimal places; where a release does not say them, those of the right answer. */
    private static int precision(Row row, String answer) {
        return row.find("precision")
                .map(value -> (int) value.asDouble())
                .orElseGet(() -> answer.length() - 1 - answer.indexOf('.'));
    }
}
