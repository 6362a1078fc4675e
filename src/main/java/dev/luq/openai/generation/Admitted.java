package dev.luq.openai.generation;

import dev.luq.catalog.KeepAlive;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.Errors;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.InFlightAnswer;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.smallrye.mutiny.Multi;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A request that was read, and the model that it is for, which may have to be loaded before the request is checked.
 * Thread-safe.
 */
final class Admitted<E extends Addressed> {

    private final Caller caller;
    private final ModelWorker worker;
    private final String id;
    private final long arrived;
    private final ReceivedBody received;
    private final Predicate<String> permitted;
    private final Consumer<ApiException> refusals;
    /** Null when it is released: it may have megabytes, and an answer takes minutes. */
    private E request;

    private UnaryOperator<String> fields = UnaryOperator.identity();

    /**
     * @param worker of the model
     * @param id of the HTTP request
     * @param arrived when its body had come, {@link System#nanoTime()}
     * @param received counts while the request is held
     * @param permitted which models the caller may be told of
     * @param refusals are told of requests that are refused
     */
    Admitted(
            Caller caller,
            E request,
            ModelWorker worker,
            String id,
            long arrived,
            ReceivedBody received,
            Predicate<String> permitted,
            Consumer<ApiException> refusals) {
        this.caller = caller;
        this.request = request;
        this.worker = worker;
        this.id = id;
        this.arrived = arrived;
        this.received = received;
        this.permitted = permitted;
        this.refusals = refusals;
    }

    Caller caller() {
        return caller;
    }

    /** What the request was read from. */
    ReceivedBody body() {
        return received;
    }

    ModelWorker worker() {
        return worker;
    }

    /** A new answer to the request: its times count from the request's arrival. */
    InFlightAnswer newAnswer() {
        return new InFlightAnswer(arrived);
    }

    /** Not to be kept: what is made of it is. */
    synchronized E request() {
        if (request == null) {
            throw new IllegalStateException("the request is no longer held");
        }
        return request;
    }

    /**
     * Checks and answers the request as soon as its model is loaded; see {@link ModelWorker#whenLoaded}.
     *
     * @param keepAlive how long the model stays afterwards; empty for as long as configured
     * @param answer checks the request, which is released when the items are subscribed to
     */
    <T> Multi<T> whenLoaded(Optional<KeepAlive> keepAlive, BiFunction<E, ModelInfo, Multi<T>> answer) {
        return worker.whenLoaded(caller.tag(), keepAlive, model -> answer.apply(request(), model)
                        .onSubscription()
                        .invoke(this::release))
                .onTermination()
                .invoke(this::release)
                .onFailure(ApiException.class)
                .invoke(refused -> refusals.accept((ApiException) refused))
                .onFailure(WorkerException.DoesNotFit.class)
                .transform(failure -> ((WorkerException.DoesNotFit) failure).naming(permitted));
    }

    private synchronized void release() {
        if (request != null) {
            fields = request.fields();
            request = null;
            received.close();
        }
    }

    /** What the client is told of a failure, in the words of its endpoint. */
    synchronized ApiError describe(Throwable failure) {
        return Errors.describe(failure, id).named(request == null ? fields : request.fields());
    }

    /** Failures that name a field do so in the words of the endpoint. */
    Throwable named(Throwable failure) {
        return failure instanceof ApiException || failure instanceof WorkerException.Rejected
                ? new ApiException.Refused(describe(failure))
                : failure;
    }
}
