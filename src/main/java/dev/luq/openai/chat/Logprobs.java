package dev.luq.openai.chat;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Log probabilities of generated tokens. */
@RegisterForReflection
@Schema(name = "Logprobs")
public record Logprobs(
        @JsonProperty("content") List<Token> content,
        @JsonProperty("refusal") @Schema(nullable = true) List<Token> refusal) {

    /** A token, and the likeliest ones in its place; those have no alternatives of their own. */
    @RegisterForReflection
    @Schema(name = "TokenLogprob")
    public record Token(
            @JsonProperty("token") String token,
            @JsonProperty("logprob") double logprob,
            @JsonProperty("bytes") List<Integer> bytes,
            @JsonProperty("top_logprobs") @JsonInclude(JsonInclude.Include.NON_NULL) List<Token> top) {}

    public static Logprobs of(List<TokenLogprob> tokens) {
        return new Logprobs(tokens.stream().map(token -> token(token, true)).toList(), null);
    }

    private static Token token(TokenLogprob token, boolean withTop) {
        List<TokenLogprob> top = token.top() == null ? List.of() : token.top();
        return new Token(
                token.token(),
                token.logprob(),
                token.bytes(),
                withTop
                        ? top.stream()
                                .map(alternative -> token(alternative, false))
                                .toList()
                        : null);
    }
}
