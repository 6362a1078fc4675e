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
 * @param judged what a judge took for the answer; null where none found one
 * @param judge the model that judged; null where none did, and in files that do not have it
 * @param refused why the server did not take the question; null when it did
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record AnswerLine(
        String id,
        String prompt,
        String picture,
        String answer,
        String judged,
        String judge,
        String refused,
        Reference reference) {

    /** To a question that the server took; no judge has seen it. */
    static AnswerLine of(String id, String prompt, String picture, String answer, Reference reference) {
        return new AnswerLine(id, prompt, picture, answer, null, null, null, reference);
    }

    /** Of a question that the server did not take. */
    static AnswerLine refused(String id, String prompt, String picture, String why, Reference reference) {
        return new AnswerLine(id, prompt, picture, null, null, null, why, reference);
    }

    /** The same with what a judge took for the answer. */
    AnswerLine judged(String answerInIt, Judge by) {
        return new AnswerLine(id, prompt, picture, answer, answerInIt, by.model(), refused, reference);
    }

    /** Whether it has a verdict of this judge. A verdict that does not say whose it is is nobody's. */
    boolean isJudgedBy(Optional<Judge> present) {
        return judged != null && present.filter(by -> by.model().equals(judge)).isPresent();
    }

    /** For the scorer, with the verdict of this judge alone. */
    Answer scored(Optional<Judge> present) {
        return answer == null
                ? Answer.REFUSED
                : new Answer(answer, isJudgedBy(present) ? Optional.of(judged) : Optional.empty());
    }
}
