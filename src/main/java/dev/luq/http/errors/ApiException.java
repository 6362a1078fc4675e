package dev.luq.http.errors;

import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;

/** Why the API refuses a request. Messages are for clients: no path, no address. */
public abstract sealed class ApiException extends RuntimeException {

    private final ApiError error;

    private ApiException(ApiError error) {
        // Refusals are answers, not defects: their stack is of no use.
        super(error.message(), null, false, false);
        this.error = Objects.requireNonNull(error, "error is null");
    }

    public ApiError error() {
        return error;
    }

    private static ApiError badRequest(String code, String param, String message) {
        return new ApiError(400, code, message, param, OptionalInt.empty());
    }

    /** A field is missing, has the wrong type or is out of range. */
    public static final class InvalidRequest extends ApiException {
        /** @param param the field, or null when the request as a whole is at fault */
        public InvalidRequest(String param, String message) {
            super(badRequest("invalid_request", param, message));
        }
    }

    /** A valid schema whose grammar costs more than one may. */
    public static final class SchemaTooComplex extends ApiException {
        /** @param param the keyword */
        public SchemaTooComplex(String param, String message) {
            super(badRequest("schema_too_complex", param, message));
        }
    }

    /** More text than the model's context can hold. */
    public static final class ContextLengthExceeded extends ApiException {
        /**
         * @param promptTokens that the text has at least
         * @param contextSize tokens that the context holds
         */
        public ContextLengthExceeded(String param, String message, int promptTokens, int contextSize) {
            super(new ApiError(
                    400,
                    "context_length_exceeded",
                    message,
                    param,
                    OptionalInt.empty(),
                    new ApiError.Overflow(promptTokens, contextSize)));
        }
    }

    /** An image cannot be used. */
    public static final class InvalidImage extends ApiException {
        /** What is wrong with it; {@link #code()} is the API's name. */
        public enum Fault {
            /** The URL is of a kind that is not enabled, or not an image URL at all. */
            INVALID_IMAGE_URL,
            /** The text after {@code base64,} is no base64. */
            INVALID_BASE64,
            /** The bytes are no image of a supported format, or a damaged one. */
            INVALID_IMAGE,
            /** More bytes or pixels than allowed. */
            IMAGE_TOO_LARGE;

            public String code() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        public InvalidImage(Fault fault, String param, String message) {
            super(badRequest(fault.code(), param, message));
        }
    }

    /** The model does not understand this kind of input. */
    public static final class UnsupportedModality extends ApiException {
        public UnsupportedModality(String param, String message) {
            super(badRequest("unsupported_modality", param, message));
        }
    }

    /** No key, or an unknown one. */
    public static final class InvalidKey extends ApiException {
        /** There is no key. */
        public InvalidKey() {
            this("An API key is needed: send the header Authorization: Bearer <key>");
        }

        public InvalidKey(String message) {
            super(ApiError.of(401, "invalid_api_key", message));
        }
    }

    /** The key's role does not permit this. */
    public static final class Forbidden extends ApiException {
        public Forbidden(String message) {
            super(ApiError.of(403, "insufficient_permissions", message));
        }
    }

    /** The model that the request's field {@code model} names does not exist, or not for this caller. */
    public static final class ModelNotFound extends ApiException {
        public ModelNotFound() {
            this("The model does not exist. GET /v1/models lists the models.");
        }

        public ModelNotFound(String message) {
            super(new ApiError(404, "model_not_found", message, "model", OptionalInt.empty()));
        }
    }

    /** The body has more bytes than allowed. */
    public static final class RequestTooLarge extends ApiException {
        public RequestTooLarge(long maxBytes) {
            super(ApiError.of(413, "request_too_large", "The request body is larger than " + maxBytes + " bytes"));
        }
    }

    /** The body does not come, or too slowly. */
    public static final class RequestTimeout extends ApiException {
        public RequestTimeout(String message) {
            super(ApiError.of(408, "request_timeout", message));
        }
    }

    /** A refusal that another room describes. */
    public static final class Refused extends ApiException {
        public Refused(ApiError error) {
            super(error);
        }
    }

    /** Too much is being read and decoded at this moment. Worth a retry. */
    public static final class Busy extends ApiException {
        public Busy(String message) {
            super(ApiError.retryable(429, "queue_full", message, 1));
        }
    }

    /** The caller has used up what it may for now. */
    public static final class RateLimited extends ApiException {
        /** @param seconds after which a retry is of use */
        public RateLimited(String message, long seconds) {
            super(ApiError.retryable(429, "rate_limited", message, (int) Math.min(seconds, Integer.MAX_VALUE)));
        }
    }

    /** The client left. This answer is not read; its status is the one that proxies log for such requests. */
    public static final class ClientGone extends ApiException {
        public ClientGone() {
            super(ApiError.of(499, "client_closed_request", "The client closed the connection before it was answered"));
        }
    }
}
