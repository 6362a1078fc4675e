package dev.luq.requant.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A file of examples is refused, or each of them has a question, an answer and pictures inside the folder. */
public final class DatasetFuzz implements FuzzTarget {

    private static final byte[] PICTURE = "\u0089PNG\r\n\u001a\n....".getBytes(StandardCharsets.ISO_8859_1);

    @Override
    public String name() {
        return "jsonl";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                        "{\"image\": \"a.png\", \"question\": \"What?\", \"answer\": \"A.\", \"category\": \"c\"}\n\n"
                                + "{\"image\": [\"a.png\", \"./a.png\"], \"question\": \"Q\", \"answer\": \"\\u00e9\"}\r\n",
                        "{\"image\": null, \"question\": \"Hello?\", \"answer\": \"Yes.\"}",
                        "{\"image\": \"../a.png\", \"question\": \"Q\", \"answer\": \"A\", \"question\": 1}")
                .stream()
                .map(lines -> lines.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) throws IOException {
        try (Scratch scratch = new Scratch()) {
            scratch.write("a.png", PICTURE);
            scratch.write("set.jsonl", input);
            Dataset set;
            try {
                set = Dataset.read(scratch.folder());
            } catch (DataException refused) {
                assertFalse(refused.getMessage().contains(scratch.folder().toString()), refused.getMessage());
                return;
            }
            for (Example example : set.examples()) {
                assertFalse(example.question().isBlank() || example.answer().isBlank(), example.id());
                for (Path image : example.images()) {
                    assertTrue(image.toRealPath().startsWith(scratch.folder()), example.id());
                }
            }
            set.digest();
        }
    }
}
