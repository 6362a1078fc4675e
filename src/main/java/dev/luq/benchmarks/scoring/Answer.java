package dev.luq.benchmarks.scoring;

import java.util.Optional;

/**
 * What a model said.
 *
 * @param text without white space around it; empty when the server refused the question
 * @param judged what a judge took for the answer in it
 * @param refused by the server: wrong, also where an empty answer is right
 */
public record Answer(String text, Optional<String> judged, boolean refused) {

    /** To a question that the server did not take. */
    public static final Answer REFUSED = new Answer("", Optional.empty(), true);

    public Answer {
        text = PythonText.strip(text);
    }

    /** One that was given. */
    public Answer(String text, Optional<String> judged) {
        this(text, judged, false);
    }

    /** What no judge has seen. */
    public static Answer of(String text) {
        return new Answer(text, Optional.empty());
    }
}
