package dev.luq.benchmarks.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What a file of answers is of: its first line. Answers of one header belong together, others do not.
 *
 * @param data form of the published files
 * @param model id at the server
 * @param variant of the model; null for its base files
 * @param identity of the model's files and of the settings that change its answers, as the server says; null when it does not
 * @param bytes of the language model's weights as served; null when the server does not say
 * @param bitsPerWeight of the same; null when the server does not say
 * @param prompt id of the style
 * @param maxTokens of an answer
 */
public record RunHeader(
        String benchmark,
        String data,
        String model,
        String variant,
        String identity,
        Long bytes,
        @JsonProperty("bits_per_weight") Double bitsPerWeight,
        String prompt,
        @JsonProperty("max_tokens") int maxTokens) {}
