package dev.luq.benchmarks.scoring;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * What an answer is held against. It lies beside the answer in the answers file.
 *
 * @param answers those that are right; ten of ten people for {@code textvqa} and {@code vqav2}, a letter for
 *     {@code mmbench}
 * @param category what the question is about, as the data name it; null where they name nothing
 * @param group questions that count as one: those about a picture of {@code mme}, the rotations of a question of
 *     {@code mmbench}; null elsewhere
 * @param options texts of the options A, B, ... in this order; empty where there are none
 * @param kind of a question of {@code mathvista}: {@code multi_choice}, {@code integer}, {@code float} or {@code list};
 *     null elsewhere
 * @param precision decimal places of an answer of kind {@code float}; null elsewhere
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Reference(
        List<String> answers, String category, String group, List<String> options, String kind, Integer precision) {

    public Reference {
        answers = answers == null ? List.of() : List.copyOf(answers);
        options = options == null ? List.of() : List.copyOf(options);
    }

    /** Answers in a category, and nothing else. */
    public static Reference of(List<String> answers, String category) {
        return new Reference(answers, category, null, List.of(), null, null);
    }

    /** One answer to one of the questions of a group. */
    public static Reference inGroup(String answer, String category, String group) {
        return new Reference(List.of(answer), category, group, List.of(), null, null);
    }
}
