package dev.luq.benchmarks.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.parquet.ParquetException;
import dev.luq.parquet.ParquetFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Rows of a Parquet file. */
final class ParquetRows implements Rows {

    private final String name;
    private final ParquetFile file;
    private long number;

    /** @param columns the only ones to read */
    ParquetRows(Path path, Set<String> columns) throws IOException {
        this.name = path.getFileName().toString();
        try {
            this.file = ParquetFile.open(path, columns);
        } catch (ParquetException e) {
            throw new BenchmarkDataException(e.getMessage(), e);
        }
    }

    @Override
    public Optional<Row> next() {
        try {
            Optional<ObjectNode> row = file.next();
            number++;
            return row.map(json -> new Row(name, number, json));
        } catch (ParquetException e) {
            throw new BenchmarkDataException(e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
