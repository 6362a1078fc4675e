package dev.luq.benchmarks.run;

/** Whoever answers, in bounded time: a model that is served. Thread-safe. */
@FunctionalInterface
public interface Respondent {

    /**
     * Answers a question about a picture.
     *
     * @param picture a picture's file; empty for a question without one
     * @param maxTokens of the answer
     * @throws RefusedException this question cannot be answered, now or later
     */
    String answer(String prompt, byte[] picture, int maxTokens) throws RefusedException;

    /** A question that a server does not take, such as one whose picture it cannot decode. */
    final class RefusedException extends Exception {
        public RefusedException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
