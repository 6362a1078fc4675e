package dev.luq.benchmarks.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.benchmarks.scoring.Answer;
import dev.luq.benchmarks.scoring.Reference;
import java.util.Optional;

/**
 * A line of a file of answers: all that its score needs.
 *
 * @param id of the question
 * @param prompt as it was sent
 * @param picture digest of the picture that was sent; null in files that do not have it
 * @param answer null when the question was refused
 * @param judged what a judge took for the answer; null where none was asked
 * @param refused why the server did not take the question; null when it did
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record AnswerLine(
        String id, String prompt, String picture, String answer, String judged, String refused, Reference reference) {

    /** The same with what a judge took for the answer. */
    AnswerLine judged(String answerInIt) {
        return new AnswerLine(id, prompt, picture, answer, answerInIt, refused, reference);
    }

    Answer scored() {
        return answer == null ? Answer.REFUSED : new Answer(answer, Optional.ofNullable(judged));
    }
}
