package dev.luq.parquet;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.format.CompressionCodec;

/** A Parquet file is refused by its name, or its rows are read. */
public final class ParquetFuzz implements FuzzTarget {

    private static final String SCHEMA =
            """
            message schema {
              optional int64 id;
              optional binary question (STRING);
              optional group image { optional binary bytes; }
              optional group answers (LIST) { repeated group list { optional binary element (STRING); } }
            }
            """;

    private static final Set<String> COLUMNS = Set.of("id", "question", "image", "answers");
    /** A group may say that it has any number of rows without a value. */
    private static final int MOST_ROWS = 1000;

    @Override
    public String name() {
        return "parquet";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                file(WriterVersion.PARQUET_1_0, CompressionCodec.UNCOMPRESSED),
                file(WriterVersion.PARQUET_1_0, CompressionCodec.GZIP),
                file(WriterVersion.PARQUET_2_0, CompressionCodec.UNCOMPRESSED));
    }

    private static byte[] file(WriterVersion version, CompressionCodec codec) {
        List<ObjectNode> rows = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            ObjectNode row = new ObjectMapper()
                    .createObjectNode()
                    .put("id", (long) number)
                    .put("question", "Question " + number % 3 + "?");
            row.putObject("image").put("bytes", new byte[] {(byte) number, 0, -1});
            row.putArray("answers").add("yes").addNull();
            rows.add(row);
        }
        try (Scratch scratch = new Scratch()) {
            Path file = scratch.folder().resolve("a.parquet");
            new ParquetSet(SCHEMA, version, codec, 7).write(file, rows);
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void run(byte[] input) throws IOException {
        try (Scratch scratch = new Scratch();
                ParquetFile file = ParquetFile.open(scratch.write("a.parquet", input), COLUMNS)) {
            for (int row = 0; row < MOST_ROWS && file.next().isPresent(); row++) {}
        } catch (ParquetException refused) {
            assertTrue(refused.getMessage().startsWith("a.parquet cannot be read as Parquet: "), refused.getMessage());
        }
    }
}
