package dev.luq.anthropic;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.http.errors.ApiError;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * The JSON of every error of the Messages API.
 *
 * @param type {@code error}
 * @param requestId as the headers have it
 */
@RegisterForReflection
@Schema(name = "MessagesError")
record MessagesError(
        @JsonProperty("type") @Schema(required = true, enumeration = "error") String type,
        @JsonProperty("error") @Schema(required = true) Detail error,
        @JsonProperty("request_id") @Schema(required = true) String requestId) {

    /** By these words clients know that they have to shorten a conversation. */
    private static final String TOO_LONG = "prompt is too long: ";

    @RegisterForReflection
    @Schema(name = "MessagesErrorDetail")
    record Detail(
            @JsonProperty("type") @Schema(required = true, examples = "invalid_request_error") String type,
            @JsonProperty("message") @Schema(required = true) String message) {}

    static MessagesError of(ApiError error, String requestId) {
        String message = error.code().equals("context_length_exceeded") ? TOO_LONG + error.message() : error.message();
        return new MessagesError("error", new Detail(type(error.status()), message), requestId);
    }

    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            case 504 -> "timeout_error";
            default -> status >= 500 ? "api_error" : "invalid_request_error";
        };
    }
}
