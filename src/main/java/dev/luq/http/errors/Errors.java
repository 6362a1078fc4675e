package dev.luq.http.errors;

import dev.luq.serving.WorkerException;
import dev.luq.serving.WorkerException.DeadlineExceeded;
import dev.luq.serving.WorkerException.Died;
import dev.luq.serving.WorkerException.DoesNotFit;
import dev.luq.serving.WorkerException.NotReady;
import dev.luq.serving.WorkerException.Quarantined;
import dev.luq.serving.WorkerException.QueueFull;
import dev.luq.serving.WorkerException.Rejected;
import dev.luq.serving.WorkerException.SlowReader;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import jakarta.ws.rs.WebApplicationException;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletionException;
import org.jboss.logging.Logger;

/** The one place that decides what a client is told about a failure. */
public final class Errors {

    private static final Logger LOG = Logger.getLogger(Errors.class);

    /** Codes that a worker may reject a request with, and their statuses. Any other code is a defect of ours. */
    private static final Map<String, Integer> REJECTIONS = Map.ofEntries(
            Map.entry("invalid_request", 400),
            Map.entry("schema_too_complex", 400),
            Map.entry("invalid_image", 400),
            Map.entry("image_too_large", 400),
            Map.entry("context_length_exceeded", 400),
            Map.entry("unsupported_modality", 400),
            Map.entry("request_too_large", 413),
            Map.entry("input_quarantined", 422),
            Map.entry("queue_full", 429),
            Map.entry("non_finite_output", 500),
            Map.entry("draining", 503),
            Map.entry("deadline_exceeded", 504));

    private Errors() {}

    /**
     * @param failure whatever ended the request
     * @param requestId told to the client when the failure is ours, and logged with it
     */
    public static ApiError describe(Throwable failure, String requestId) {
        if (failure instanceof CompletionException && failure.getCause() != null) {
            return describe(failure.getCause(), requestId);
        }
        if (failure instanceof ApiException refused) {
            return refused.error();
        }
        if (failure instanceof UnauthorizedException) {
            return new ApiException.InvalidKey().error();
        }
        if (failure instanceof ForbiddenException) {
            return new ApiException.Forbidden("This needs an API key of role admin").error();
        }
        if (failure instanceof WorkerException worker) {
            return ofWorker(worker, requestId);
        }
        if (failure instanceof WebApplicationException web && web.getResponse().getStatus() < 500) {
            return ofStatus(web.getResponse().getStatus());
        }
        if (failure instanceof OutOfMemoryError) { // also as the system says that it gives no further thread
            LOG.errorf(failure, "Request %s failed", requestId);
            return ApiError.retryable(
                    503,
                    "server_overloaded",
                    "The server has no memory or no thread left for this request. Try it again.",
                    5);
        }
        return internal(failure, requestId);
    }

    private static ApiError ofWorker(WorkerException failure, String requestId) {
        if (failure instanceof NotReady notReady) {
            return switch (notReady.state()) {
                case LOADING -> ApiError.retryable(503, "model_loading", failure.getMessage(), 5);
                case DRAINING -> ApiError.retryable(503, "draining", failure.getMessage(), 5);
                case FAILED -> ApiError.retryable(503, "model_failed", failure.getMessage(), 60);
                case UNLOADED -> ApiError.retryable(503, "model_not_loaded", failure.getMessage(), 60);
                case RESTARTING, READY, SWAPPING ->
                    ApiError.retryable(503, "worker_restarting", failure.getMessage(), 2);
            };
        }
        if (failure instanceof DoesNotFit) {
            return ApiError.of(507, "model_does_not_fit", failure.getMessage());
        }
        if (failure instanceof QueueFull) {
            return ApiError.retryable(429, "queue_full", failure.getMessage(), 2);
        }
        if (failure instanceof Died) {
            return ApiError.retryable(503, "worker_restarting", failure.getMessage(), 2);
        }
        if (failure instanceof DeadlineExceeded) {
            return ApiError.of(504, "deadline_exceeded", failure.getMessage());
        }
        if (failure instanceof Quarantined) {
            return ApiError.of(422, "input_quarantined", failure.getMessage());
        }
        if (failure instanceof SlowReader) {
            return ApiError.of(400, "slow_reader", failure.getMessage());
        }
        if (failure instanceof Rejected rejected && REJECTIONS.containsKey(rejected.code())) {
            int status = REJECTIONS.get(rejected.code());
            boolean retry = status == 429 || status == 503;
            return new ApiError(
                    status,
                    rejected.code(),
                    rejected.getMessage(),
                    rejected.param(),
                    retry ? OptionalInt.of(2) : OptionalInt.empty(),
                    rejected.promptTokens().isEmpty()
                            ? null
                            : new ApiError.Overflow(
                                    rejected.promptTokens().getAsInt(),
                                    rejected.contextSize().orElseThrow()));
        }
        return internal(failure, requestId);
    }

    /** What HTTP itself objects to: paths, methods, media types. */
    public static ApiError ofStatus(int status) {
        return switch (status) {
            case 404 -> ApiError.of(404, "not_found", "There is nothing at this path");
            case 405 -> ApiError.of(405, "method_not_allowed", "This path does not know this method");
            case 406 -> ApiError.of(406, "not_acceptable", "This path answers with application/json");
            case 413 -> ApiError.of(413, "request_too_large", "The request body is too large");
            case 415 -> ApiError.of(415, "unsupported_media_type", "Send the body as Content-Type: application/json");
            default -> ApiError.of(status, "invalid_request", "The request is not valid HTTP for this path");
        };
    }

    private static ApiError internal(Throwable failure, String requestId) {
        LOG.errorf(failure, "Request %s failed", requestId);
        return ApiError.of(
                500,
                "internal_error",
                "The server failed on this request. Quote the request id " + requestId + " when you report it.");
    }
}
