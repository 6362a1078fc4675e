package dev.luq.openai.generation;

import dev.luq.catalog.KeepAlive;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.Errors;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.smallrye.mutiny.Multi;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A request that was read, and the model that it is for, which may have to be loaded before the request is checked.
 *
 * @param worker of the model
 * @param id of the HTTP request
 * @param received counts until the request is checked
 * @param permitted which models the caller may be told of
 * @param refusals are told of requests that are refused
 */
record Admitted<E extends Addressed>(
        Caller caller,
        E request,
        ModelWorker worker,
        String id,
        ReceivedBody received,
        Predicate<String> permitted,
        Consumer<ApiException> refusals) {

    /**
     * Checks and answers the request as soon as its model is loaded; see {@link ModelWorker#whenLoaded}.
     *
     * @param keepAlive how long the model stays afterwards; empty for as long as configured
     * @param answer checks the request, which is no longer held when its items are subscribed to
     */
    <T> Multi<T> whenLoaded(Optional<KeepAlive> keepAlive, Function<ModelInfo, Multi<T>> answer) {
        return worker.whenLoaded(
                        keepAlive, model -> answer.apply(model).onSubscription().invoke(received::close))
                .onTermination()
                .invoke(received::close)
                .onFailure(ApiException.class)
                .invoke(refused -> refusals.accept((ApiException) refused))
                .onFailure(WorkerException.DoesNotFit.class)
                .transform(failure -> ((WorkerException.DoesNotFit) failure).naming(permitted));
    }

    /** What the client is told of a failure, in the words of its endpoint. */
    ApiError describe(Throwable failure) {
        return Errors.describe(failure, id).named(request::field);
    }

    /** Failures that name a field do so in the words of the endpoint. */
    Throwable named(Throwable failure) {
        return failure instanceof ApiException || failure instanceof WorkerException.Rejected
                ? new ApiException.Refused(describe(failure))
                : failure;
    }
}
