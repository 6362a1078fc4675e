package dev.luq.admin;

import dev.luq.catalog.CatalogException;
import dev.luq.datasets.SetException;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.jobs.JobRequestException;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.spec.SpecException;
import dev.luq.serving.ModelOperationException;
import java.util.OptionalInt;
import java.util.concurrent.CompletionException;

/** The one place that decides what an administrator is told about a failure of the rooms behind. */
final class AdminErrors {

    private AdminErrors() {}

    /** @return what is to be thrown instead: the failure itself when it is none of theirs */
    static RuntimeException translate(Throwable failure) {
        if (failure instanceof CompletionException && failure.getCause() != null) {
            return translate(failure.getCause());
        }
        ApiError error = null;
        if (failure instanceof CatalogException e) {
            error = of(e);
        } else if (failure instanceof ModelOperationException e) {
            error = of(e);
        } else if (failure instanceof JobRequestException e) {
            error = of(e);
        } else if (failure instanceof SetException e) {
            error = of(e);
        } else if (failure instanceof PlanException e) {
            error = of(e);
        } else if (failure instanceof SpecException.Invalid) {
            error = ApiError.of(400, "invalid_request", failure.getMessage());
        }
        if (error != null) {
            return new ApiException.Refused(error);
        }
        return failure instanceof RuntimeException runtime ? runtime : new CompletionException(failure);
    }

    private static ApiError of(CatalogException e) {
        if (e instanceof CatalogException.NotFound) {
            return ApiError.of(404, "not_found", e.getMessage());
        } else if (e instanceof CatalogException.Conflict) {
            return ApiError.of(409, "conflict", e.getMessage());
        } else if (e instanceof CatalogException.InvalidModel) {
            return ApiError.of(422, "invalid_model", e.getMessage());
        } else if (e instanceof CatalogException.NotSaved) {
            return ApiError.of(507, "not_saved", e.getMessage());
        }
        return null;
    }

    private static ApiError of(ModelOperationException e) {
        if (e instanceof ModelOperationException.InProgress) {
            return ApiError.retryable(409, "operation_in_progress", e.getMessage(), 5);
        } else if (e instanceof ModelOperationException.Stopping) {
            return ApiError.retryable(503, "draining", e.getMessage(), 5);
        }
        if (e instanceof ModelOperationException.DoesNotFit) {
            return ApiError.of(507, "model_does_not_fit", e.getMessage());
        }
        if (e instanceof ModelOperationException.Late) {
            return ApiError.retryable(504, "deadline_exceeded", e.getMessage(), 30);
        }
        return ApiError.of(422, "model_not_served", e.getMessage());
    }

    private static ApiError of(JobRequestException e) {
        if (e instanceof JobRequestException.NotFound) {
            return ApiError.of(404, "not_found", e.getMessage());
        } else if (e instanceof JobRequestException.Conflict || e instanceof JobRequestException.Elsewhere) {
            return ApiError.of(409, "conflict", e.getMessage());
        } else if (e instanceof JobRequestException.KeyReused) {
            return new ApiError(422, "idempotency_key_reused", e.getMessage(), "Idempotency-Key", OptionalInt.empty());
        } else if (e instanceof JobRequestException.QueueFull) {
            return ApiError.retryable(429, "queue_full", e.getMessage(), 60);
        }
        return ApiError.of(507, "not_saved", e.getMessage());
    }

    private static ApiError of(SetException e) {
        if (e instanceof SetException.NotFound) {
            return ApiError.of(404, "not_found", e.getMessage());
        } else if (e instanceof SetException.Conflict) {
            return ApiError.of(409, "conflict", e.getMessage());
        } else if (e instanceof SetException.TooLarge) {
            return ApiError.of(413, "request_too_large", e.getMessage());
        } else if (e instanceof SetException.Busy) {
            return ApiError.retryable(429, "queue_full", e.getMessage(), 10);
        } else if (e instanceof SetException.Invalid) {
            return ApiError.of(400, "invalid_calibration_set", e.getMessage());
        }
        return ApiError.of(507, "not_saved", e.getMessage());
    }

    private static ApiError of(PlanException e) {
        if (e instanceof PlanException.InvalidBudget) {
            return new ApiError(400, "invalid_request", e.getMessage(), "budget", OptionalInt.empty());
        } else if (e instanceof PlanException.Impossible) {
            return new ApiError(422, "budget_impossible", e.getMessage(), "budget", OptionalInt.empty());
        }
        return new ApiError(422, "unsupported_model", e.getMessage(), "model", OptionalInt.empty());
    }
}
