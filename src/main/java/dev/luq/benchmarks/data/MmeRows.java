package dev.luq.benchmarks.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * MME as its makers publish it: a folder a category with a text file a picture, in which each line is a question, a tab
 * and its answer. Pictures lie beside the text files or in a folder {@code images} beside theirs.
 */
final class MmeRows implements Rows {

    private static final String ASIDE = "questions_answers_YN";
    private static final List<String> ENDINGS = List.of(".jpg", ".png");
    private static final long LARGEST = 1 << 20;

    private final Path folder;
    private final Iterator<Path> files;
    private final Deque<Row> rows = new ArrayDeque<>();
    private long position;

    /** @param files the text files, in the folder of their category or one below it */
    MmeRows(Path folder, List<Path> files) {
        this.folder = folder;
        this.files = files.iterator();
    }

    @Override
    public Optional<Row> next() throws IOException {
        while (rows.isEmpty() && files.hasNext()) {
            read(files.next());
        }
        return Optional.ofNullable(rows.poll());
    }

    private void read(Path file) throws IOException {
        boolean aside = file.getParent().endsWith(ASIDE);
        Path category = aside ? file.getParent().getParent() : file.getParent();
        String name = file.getFileName().toString();
        if (Files.size(file) > LARGEST) {
            throw new BenchmarkDataException(name + " is larger than a file of questions of MME.");
        }
        String stem = name.substring(0, name.length() - ".txt".length());
        Path pictures = aside ? category.resolve("images") : category;
        String picture = ENDINGS.stream()
                .filter(ending -> Files.isRegularFile(pictures.resolve(stem + ending)))
                .findFirst()
                .map(ending ->
                        folder.relativize(pictures.resolve(stem + ending)).toString())
                .orElseThrow(() -> new BenchmarkDataException(
                        category.getFileName() + "/" + name + " has no picture " + stem + " beside it."));
        long number = 0;
        for (String line : lines(file)) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            position++;
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            Row row = new Row(name, number, position, json);
            String[] parts = line.split("\t", -1);
            if (parts.length != 2) {
                throw row.fault("a line is not a question, a tab and an answer.");
            }
            json.put("question_id", category.getFileName() + "/" + stem)
                    .put("category", category.getFileName().toString())
                    .put("question", parts[0])
                    .put("answer", parts[1])
                    .put("image", picture);
            rows.add(row);
        }
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file, UTF_8);
        } catch (CharacterCodingException e) {
            throw new BenchmarkDataException(file.getFileName() + " is not UTF-8.", e);
        }
    }

    @Override
    public void close() {}
}
