package dev.luq.benchmarks.run;

/** Why a run ends without a result. The message is for the person who started it. */
public final class BenchmarkRunException extends RuntimeException {

    BenchmarkRunException(String message) {
        super(message);
    }

    BenchmarkRunException(String message, Throwable cause) {
        super(message, cause);
    }
}
