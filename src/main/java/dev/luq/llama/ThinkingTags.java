package dev.luq.llama;

import java.util.List;

/**
 * What a model's thoughts stand between, as its chat template has it.
 *
 * @param start such as {@code <think>}
 * @param ends one or more, each of which ends them
 */
public record ThinkingTags(String start, List<String> ends) {

    /** Characters of the longest end. */
    public int longestEnd() {
        return ends.stream().mapToInt(String::length).max().orElseThrow();
    }
}
