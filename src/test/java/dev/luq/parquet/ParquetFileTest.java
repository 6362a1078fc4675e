package dev.luq.parquet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.Util;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParquetFileTest {

    /** As the library datasets writes pictures, lists and records. */
    private static final String SCHEMA =
            """
            message schema {
              optional int64 id;
              optional binary question (STRING);
              optional group image { optional binary bytes; optional binary path (STRING); }
              optional group answers (LIST) { repeated group list { optional binary element (STRING); } }
              optional group people (LIST) {
                repeated group list { optional group element { optional binary answer (STRING); optional int64 id; } }
              }
              optional double precision;
              optional boolean balanced;
            }
            """;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path WRITTEN_BY_PYARROW = Path.of("src/test/resources/parquet");

    /** Length of {@code PAR1}, before the first page. */
    private static final int MAGIC = 4;

    @TempDir
    Path folder;

    private static ObjectNode row(int number) {
        ObjectNode row =
                JSON.createObjectNode().put("id", (long) number).put("question", "Question " + number % 3 + "?");
        row.putObject("image").put("bytes", new byte[] {(byte) number, 0, -1}).put("path", number + ".jpg");
        for (int i = 0; i < number % 4; i++) {
            row.withArray("/answers").add("answer " + i);
            row.withArray("/people").addObject().put("answer", "ä" + i).put("id", (long) i);
        }
        if (number % 4 == 0) {
            row.putArray("answers");
            row.putArray("people");
        }
        if (number % 5 == 2) {
            row.withArray("/answers").addNull();
        }
        if (number % 2 == 0) {
            row.put("precision", number / 2.0).put("balanced", number % 4 == 0);
        }
        return row;
    }

    private static List<ObjectNode> rows(int count) {
        return IntStream.range(0, count).mapToObj(ParquetFileTest::row).toList();
    }

    private static List<ObjectNode> read(Path file, String... columns) throws IOException {
        try (ParquetFile parquet = ParquetFile.open(file, Set.of(columns))) {
            List<ObjectNode> rows = new ArrayList<>();
            for (Optional<ObjectNode> row = parquet.next(); row.isPresent(); row = parquet.next()) {
                rows.add(row.get());
            }
            return rows;
        }
    }

    private static final String[] ALL = {"id", "question", "image", "answers", "people", "precision", "balanced"};

    @ParameterizedTest
    @CsvSource({"PARQUET_1_0, UNCOMPRESSED", "PARQUET_1_0, GZIP", "PARQUET_2_0, UNCOMPRESSED", "PARQUET_2_0, GZIP"})
    void rowsComeBackAsTheyWere(WriterVersion version, CompressionCodec codec) throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA, version, codec, 7).write(file, rows(50));
        assertEquals(rows(50), read(file, ALL));
    }

    /** Of pyarrow's writer, with its dictionaries, statistics and versions of pages: make_parquet.py made them. */
    @ParameterizedTest
    @ValueSource(strings = {"none", "snappy", "gzip", "zstd", "lz4", "pages-v2", "plain"})
    void filesOfPyarrowAreRead(String name) throws IOException {
        assertEquals(rows(20), read(WRITTEN_BY_PYARROW.resolve(name + ".parquet"), ALL));
    }

    @Test
    void onlyTheWantedColumnsAreRead() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA).write(file, rows(3));
        assertEquals(
                List.of("{\"id\":0}", "{\"id\":1}", "{\"id\":2}"),
                read(file, "id", "another").stream().map(ObjectNode::toString).toList());
    }

    @Test
    void aFileWithoutRowsHasNone() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA).write(file, List.of());
        assertEquals(List.of(), read(file, "id"));
    }

    private String refused(Path file, String... columns) {
        return assertThrows(ParquetException.class, () -> read(file, columns)).getMessage();
    }

    @Test
    void whatIsNoParquetIsRefused() throws IOException {
        Path file = folder.resolve("a.parquet");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", UTF_8);
        assertTrue(refused(file, "id").startsWith("a.parquet cannot be read as Parquet: it does not end"));
        Files.writeString(file, "PAR1", UTF_8);
        assertTrue(refused(file, "id").endsWith("it is too short"));
    }

    @Test
    void missingColumnsAreNamed() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA).write(file, rows(1));
        assertTrue(refused(file, "label").endsWith("it has none of the columns label"));
    }

    @Test
    void aFileThatWasCutIsRefused() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA).write(file, rows(9));
        byte[] whole = Files.readAllBytes(file);
        for (int cut = 1; cut < whole.length; cut += 97) {
            Files.write(file, Arrays.copyOf(whole, whole.length - cut));
            assertThrows(ParquetException.class, () -> read(file, ALL));
        }
    }

    @Test
    void aDictionaryHasNoMoreValuesThanBytes() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet("message schema { required binary question (STRING); }").write(file, questions(30));
        assertEquals(questions(30), read(file, "question"));
        byte[] bytes = Files.readAllBytes(file);
        PageHeader header = Util.readPageHeader(new ByteArrayInputStream(bytes, MAGIC, bytes.length - MAGIC));
        assertEquals(45, header.getUncompressed_page_size());
        header.getDictionary_page_header().setNum_values(46);
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        Util.writePageHeader(header, changed);
        System.arraycopy(changed.toByteArray(), 0, bytes, MAGIC, changed.size());
        Files.write(file, bytes);
        assertTrue(refused(file, "question").endsWith("a dictionary has more values than bytes"));
    }

    private static List<ObjectNode> questions(int count) {
        return IntStream.range(0, count)
                .mapToObj(number -> JSON.createObjectNode().put("question", "Question " + number % 3 + "?"))
                .toList();
    }

    /** Damage is found or does no harm; it never ends in another exception. */
    @Test
    void damageIsToldAsSuch() throws IOException {
        Path file = folder.resolve("a.parquet");
        new ParquetSet(SCHEMA, WriterVersion.PARQUET_1_0, CompressionCodec.GZIP, 4).write(file, rows(9));
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, damaged);
            try {
                read(file, ALL);
            } catch (ParquetException e) {
                assertTrue(e.getMessage().startsWith("a.parquet cannot be read as Parquet: "), e.getMessage());
            }
        }
    }
}
