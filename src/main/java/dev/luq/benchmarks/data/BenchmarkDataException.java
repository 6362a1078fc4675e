package dev.luq.benchmarks.data;

/** A folder or a file is not what was published. The message names the file, and the row where there is one. */
public final class BenchmarkDataException extends RuntimeException {

    BenchmarkDataException(String message) {
        super(message);
    }

    BenchmarkDataException(String message, Throwable cause) {
        super(message, cause);
    }
}
