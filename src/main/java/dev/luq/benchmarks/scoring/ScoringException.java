package dev.luq.benchmarks.scoring;

/** Why answers cannot be scored. The message names the group or the field. */
public final class ScoringException extends RuntimeException {

    public ScoringException(String message) {
        super(message);
    }
}
