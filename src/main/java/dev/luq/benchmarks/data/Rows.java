package dev.luq.benchmarks.data;

import java.io.IOException;
import java.util.Optional;

/** Rows of one or more files, one at a time. */
interface Rows extends AutoCloseable {

    /** @return empty at the end */
    Optional<Row> next() throws IOException;

    @Override
    void close() throws IOException;
}
