package dev.luq.openai.completions;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Log probabilities in the form of completions: lists of equal length.
 *
 * @param topLogprobs text to logarithm of the likeliest tokens and the chosen one
 * @param textOffset where each token's text begins, in characters of the whole text
 */
@RegisterForReflection
@Schema(name = "CompletionLogprobs")
record TextLogprobs(
        @JsonProperty("tokens") List<String> tokens,
        @JsonProperty("token_logprobs") List<Double> tokenLogprobs,
        @JsonProperty("top_logprobs") List<Map<String, Double>> topLogprobs,
        @JsonProperty("text_offset") List<Integer> textOffset) {

    /** @param offset of the first token */
    static TextLogprobs of(List<TokenLogprob> logprobs, int offset) {
        TextLogprobs lists =
                new TextLogprobs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        int at = offset;
        for (TokenLogprob token : logprobs) {
            lists.tokens.add(token.token());
            lists.tokenLogprobs.add(token.logprob());
            lists.textOffset.add(at);
            Map<String, Double> top = new LinkedHashMap<>();
            if (token.top() != null) {
                token.top().forEach(other -> top.putIfAbsent(other.token(), other.logprob()));
            }
            top.putIfAbsent(token.token(), token.logprob());
            lists.topLogprobs.add(top);
            at += characters(token);
        }
        return lists;
    }

    /** Of these tokens' texts. */
    static int characters(List<TokenLogprob> logprobs) {
        return logprobs.stream().mapToInt(TextLogprobs::characters).sum();
    }

    /** Those that begin in it: a token's own text has a replacement for each part of one. */
    private static int characters(TokenLogprob token) {
        return (int)
                token.bytes().stream().filter(octet -> (octet & 0xC0) != 0x80).count();
    }
}
