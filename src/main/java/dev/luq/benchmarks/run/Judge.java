package dev.luq.benchmarks.run;

import dev.luq.benchmarks.scoring.PythonText;

/**
 * A language model that is asked for the answer in a response, as the evaluation of MathVista does.
 *
 * @param model its name; the verdicts of one do not count for another
 * @param respondent who answers
 */
public record Judge(String model, Respondent respondent) {

    private static final int MAX_TOKENS = 64;
    private static final String TASK =
            """
            You are given a question and somebody's response to it. Write down only the final answer that the response \
            gives, in the form that the question asks for: the letter of an option, an integer, a decimal number or a \
            list. Do not solve the question. If the response gives no answer, write nothing.

            Question: Which number is missing? Answer with an integer.
            Response: The number missing in the sequence is 14.
            Answer: 14

            Question: What is the share of blue? A. 3/11 B. 8/11 C. 6/11. Answer with a letter.
            Response: Eight of eleven parts are blue, so it must be the second one.
            Answer: B

            """;

    /**
     * Asks the judge.
     *
     * @return what it says; null when it found no answer, or does not take what it is asked, such as a response that is
     *     too long for it
     */
    String ask(String question, String response) {
        try {
            String answer = PythonText.strip(respondent.answer(asked(question, response), new byte[0], MAX_TOKENS));
            return answer.isEmpty() ? null : answer;
        } catch (Respondent.RefusedException e) {
            return null;
        }
    }

    private static String asked(String question, String response) {
        return TASK + "Question: " + question + "\nResponse: " + response + "\nAnswer:";
    }
}
