package dev.luq.benchmarks.data;

import java.io.IOException;
import java.util.Optional;

/** The questions of a benchmark in the order of its files. Not thread-safe. */
public interface Questions extends AutoCloseable {

    /**
     * The next question.
     *
     * @return empty at the end
     * @throws BenchmarkDataException a file is not what was published
     */
    Optional<Question> next() throws IOException;

    @Override
    void close() throws IOException;
}
