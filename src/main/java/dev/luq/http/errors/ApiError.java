package dev.luq.http.errors;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * What a client is told when a request fails.
 *
 * @param status HTTP status
 * @param code a code of the API, such as {@code invalid_request}
 * @param message for the client: names no path, no address, no stack
 * @param param the request field at fault, or null
 * @param retryAfterSeconds value of the {@code Retry-After} header, empty when a retry is of no use
 * @param overflow null unless a prompt is too long
 */
public record ApiError(
        int status, String code, String message, String param, OptionalInt retryAfterSeconds, Overflow overflow) {

    public ApiError {
        Objects.requireNonNull(code, "code is null");
        Objects.requireNonNull(message, "message is null");
    }

    /** One that has nothing to do with the length of a prompt. */
    public ApiError(int status, String code, String message, String param, OptionalInt retryAfterSeconds) {
        this(status, code, message, param, retryAfterSeconds, null);
    }

    /**
     * By how much a prompt is too long.
     *
     * @param promptTokens its tokens, or as many as it has at least
     * @param contextSize tokens that the context holds
     */
    public record Overflow(int promptTokens, int contextSize) {}

    /** A client that waits so long before it repeats a request should rather say what is wrong. */
    private static final int LONG_WAIT_SECONDS = 60;

    public static ApiError of(int status, String code, String message) {
        return new ApiError(status, code, message, null, OptionalInt.empty());
    }

    public static ApiError retryable(int status, String code, String message, int retryAfterSeconds) {
        return new ApiError(status, code, message, null, OptionalInt.of(retryAfterSeconds));
    }

    /**
     * Headers that tell clients whether to repeat the request by themselves. OpenAI's and Anthropic's libraries repeat
     * every answer from 500 on twice unless {@code x-should-retry} says no.
     */
    Map<String, String> headers() {
        Map<String, String> headers = new TreeMap<>();
        retryAfterSeconds.ifPresent(seconds -> headers.put("Retry-After", Integer.toString(seconds)));
        if (retryAfterSeconds.orElse(LONG_WAIT_SECONDS) >= LONG_WAIT_SECONDS) {
            headers.put("x-should-retry", "false");
        }
        return headers;
    }

    /**
     * The same for a client that knows the field at fault by another name.
     *
     * @param names what a field is called there
     */
    public ApiError named(UnaryOperator<String> names) {
        String name = param == null ? null : names.apply(param);
        if (Objects.equals(name, param)) {
            return this;
        }
        Pattern word = Pattern.compile("(?<![\\w.])" + Pattern.quote(param) + "(?!\\w)");
        String renamed = word.matcher(message).replaceAll(Matcher.quoteReplacement(name));
        return new ApiError(status, code, renamed, name, retryAfterSeconds, overflow);
    }

    public Body body() {
        return new Body(new Detail(
                message,
                type(),
                param,
                code,
                overflow == null ? null : overflow.promptTokens(),
                overflow == null ? null : overflow.contextSize()));
    }

    private String type() {
        if (overflow != null) {
            return "exceed_context_size_error"; // llama-server's, whose clients look for it
        }
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> status >= 500 ? "server_error" : "invalid_request_error";
        };
    }

    /** The JSON of every error. */
    @RegisterForReflection
    @Schema(name = "Error")
    public record Body(@Schema(required = true) Detail error) {}

    /** The first four members are always present, the others where a prompt is too long. */
    @RegisterForReflection
    @Schema(name = "ErrorDetail")
    public record Detail(
            @JsonProperty @Schema(required = true) String message,
            @JsonProperty @Schema(required = true, examples = "invalid_request_error") String type,
            @JsonProperty @Schema(nullable = true, description = "The request field at fault") String param,
            @JsonProperty @Schema(required = true, examples = "invalid_request") String code,
            @JsonProperty("n_prompt_tokens")
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @Schema(description = "Tokens of a prompt that is too long, or as many as it has at least")
                    Integer promptTokens,
            @JsonProperty("n_ctx")
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @Schema(description = "Tokens that the context holds, where a prompt is too long")
                    Integer contextSize) {}
}
