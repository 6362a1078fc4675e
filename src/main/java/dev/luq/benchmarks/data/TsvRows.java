package dev.luq.benchmarks.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Lines of a TSV file under its header, as pandas reads it: fields may be in quotes and then span lines. */
final class TsvRows implements Rows {

    /** Characters of a field at most: a picture in base64. */
    private static final int LONGEST = Picture.LARGEST / 3 * 4 + 64;

    private static final CsvMapper TSV = new CsvMapper(CsvFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxStringLength(LONGEST).build())
            .build());
    private static final CsvSchema SCHEMA = CsvSchema.emptySchema().withHeader().withColumnSeparator('\t');

    private final String file;
    private final MappingIterator<JsonNode> lines;
    private long number;

    TsvRows(Path path) throws IOException {
        this.file = path.getFileName().toString();
        this.lines = TSV.readerFor(JsonNode.class).with(SCHEMA).readValues(path.toFile());
    }

    @Override
    public Optional<Row> next() throws IOException {
        try {
            if (!lines.hasNextValue()) {
                return Optional.empty();
            }
            number++;
            return Optional.of(new Row(file, number, (ObjectNode) lines.nextValue()));
        } catch (JsonProcessingException e) {
            throw new BenchmarkDataException(file + ", row " + (number + 1) + ": " + e.getOriginalMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
