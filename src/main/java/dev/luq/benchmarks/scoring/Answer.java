package dev.luq.benchmarks.scoring;

import java.util.Optional;

/**
 * What a model said.
 *
 * @param text without white space around it; empty when the server refused the question
 * @param judged what a judge took for the answer in it
 */
public record Answer(String text, Optional<String> judged) {

    public Answer {
        text = PythonText.strip(text);
    }

    /** What no judge has seen. */
    public static Answer of(String text) {
        return new Answer(text, Optional.empty());
    }
}
