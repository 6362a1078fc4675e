package dev.luq.benchmarks.data;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * GQA as the hub has it: a table of questions and one of pictures. The questions, which are small, are held in memory;
 * they come in the order of the pictures.
 */
final class GqaTables implements Questions {

    private final Map<String, List<Row>> questions = new HashMap<>();
    private final Rows pictures;
    private final QuestionReader questionReader;
    private final Deque<Question> ready = new ArrayDeque<>();

    /** @param questions read to its end and closed here */
    GqaTables(Rows questions, Rows pictures, QuestionReader questionReader) throws IOException {
        this.pictures = pictures;
        this.questionReader = questionReader;
        try (questions) {
            for (Optional<Row> row = questions.next(); row.isPresent(); row = questions.next()) {
                this.questions
                        .computeIfAbsent(row.get().text("imageId"), id -> new ArrayList<>())
                        .add(row.get());
            }
        }
    }

    @Override
    public Optional<Question> next() throws IOException {
        while (ready.isEmpty()) {
            Optional<Row> picture = pictures.next();
            if (picture.isEmpty()) {
                if (!questions.isEmpty()) {
                    throw new BenchmarkDataException("The tables of pictures lack "
                            + questions.keySet().iterator().next() + ": download all of testdev_balanced_images.");
                }
                return Optional.empty();
            }
            List<Row> about = questions.remove(picture.get().text("id"));
            if (about != null) {
                Picture bytes = Pictures.inRow(picture.get(), "image");
                about.forEach(row -> ready.add(questionReader.read(row, bytes)));
            }
        }
        return Optional.of(ready.poll());
    }

    @Override
    public void close() throws IOException {
        pictures.close();
    }
}
