package dev.luq.anthropic;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.Accepted;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Tokens of one answer.
 *
 * @param inputTokens prompt tokens that the cache did not hold
 * @param cacheCreationInputTokens 0: caching costs nothing here
 * @param cacheReadInputTokens prompt tokens taken from the cache; with the two others, the whole prompt
 */
@RegisterForReflection
@Schema(name = "MessageUsage")
record MessageUsage(
        @JsonProperty("input_tokens") int inputTokens,
        @JsonProperty("cache_creation_input_tokens") int cacheCreationInputTokens,
        @JsonProperty("cache_read_input_tokens") int cacheReadInputTokens,
        @JsonProperty("output_tokens") int outputTokens) {

    static MessageUsage of(Accepted accepted, int outputTokens) {
        return new MessageUsage(
                accepted.promptTokens() - accepted.cachedTokens(), 0, accepted.cachedTokens(), outputTokens);
    }
}
