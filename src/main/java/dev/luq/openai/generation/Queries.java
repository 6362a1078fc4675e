package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.Errors;
import dev.luq.http.errors.RequestId;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.openai.images.ImageIntake;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;

/** Asks models for what they know without generating. Methods are called on a worker thread; an answer holds none. */
@Singleton
public final class Queries {

    private final Admission admission;
    private final ImageIntake images;
    private final IntakeBudget budget;
    private final RoutingContext routing;

    @Inject
    Queries(Admission admission, ImageIntake images, IntakeBudget budget, RoutingContext routing) {
        this.admission = admission;
        this.images = images;
        this.budget = budget;
        this.routing = routing;
    }

    /**
     * Makes the query of a request that is admitted.
     *
     * @param <E> the request
     * @param <R> the answer
     */
    public interface Asking<E, R extends WorkerFrame.QueryResult> {
        /**
         * @param id of the query
         * @param client who asks
         * @throws ApiException naming the field at fault
         */
        ServerFrame.Query<R> query(E request, ModelInfo model, String id, String client);
    }

    /**
     * Asks what the current request asks.
     *
     * @param body JSON
     * @param type of the body and the request
     * @throws ApiException if the request is refused at once
     */
    public <E extends Addressed, R extends WorkerFrame.QueryResult> Uni<R> ask(
            InputStream body, Class<E> type, Asking<E, R> asking) throws IOException {
        return admission.admit(
                body,
                type,
                Function.identity(),
                (caller, request, worker, model) ->
                        ask(worker, asking.query(request, model, newId(), caller.tag()), request));
    }

    /**
     * Counts the tokens of the current request's prompt, which is read and checked as if it were to be answered. They may
     * be more than the context holds.
     *
     * @param body JSON
     * @param type what the body is read as
     * @param exchanges the exchange of a body
     * @throws ApiException if the request is refused at once
     */
    public <B> Uni<WorkerFrame.TokenCount> count(
            InputStream body, Class<B> type, Function<? super B, ? extends Exchange> exchanges) throws IOException {
        return admission.admit(body, type, exchanges, this::count);
    }

    private Uni<WorkerFrame.TokenCount> count(
            Caller caller, Exchange exchange, ModelWorker worker, ModelInfo model) {
        Prompt prompt = exchange.validate(model).prompt();
        IntakeBudget.Share pixels = budget.reserve(0);
        try {
            List<ServerFrame.Image> decoded = images.decode(prompt.images(), pixels);
            ClientPresence.of(routing).whenGone(pixels::close);
            return ask(
                            worker,
                            new ServerFrame.CountTokens(newId(), prompt.input(), decoded, caller.tag()),
                            exchange)
                    .onTermination()
                    .invoke(pixels::close);
        } catch (RuntimeException | Error refused) {
            pixels.close();
            throw refused;
        }
    }

    /**
     * What the chat template makes of the current request's conversation, which is read and checked as if it were to be
     * answered; its images stay where they are.
     *
     * @param body JSON
     * @param type what the body is read as
     * @param exchanges the exchange of a body, whose prompt is a conversation
     * @throws ApiException if the request is refused at once
     */
    public <B> Uni<WorkerFrame.Text> render(
            InputStream body, Class<B> type, Function<? super B, ? extends Exchange> exchanges) throws IOException {
        return admission.admit(body, type, exchanges, (caller, exchange, worker, model) -> {
            Prompt.Chat chat = (Prompt.Chat) exchange.validate(model).prompt();
            return ask(worker, new ServerFrame.ApplyTemplate(newId(), chat.input(), caller.tag()), exchange);
        });
    }

    private <R extends WorkerFrame.QueryResult> Uni<R> ask(
            ModelWorker worker, ServerFrame.Query<R> query, Addressed request) {
        String requestId = RequestId.of(routing);
        return ClientPresence.of(routing)
                .whileThere(worker.query(query))
                // The answer comes on the thread that reads for all requests of the model.
                .emitOn(Infrastructure.getDefaultWorkerPool())
                .onFailure(WorkerException.Rejected.class)
                .transform(rejected -> new ApiException.Refused(
                        Errors.describe(rejected, requestId).named(request::field)));
    }

    private static String newId() {
        return "query" + UUID.randomUUID().toString().replace("-", "");
    }
}
