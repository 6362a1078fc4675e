package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.openai.images.ImageIntake;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.ModelWorker;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
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
        Admitted<E> admitted = admission.admit(body, type, Function.identity());
        return ask(
                admitted,
                (request, model) ->
                        asking.query(request, model, newId(), admitted.caller().tag()));
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
        Admitted<Exchange> admitted = admission.admit(body, type, exchanges);
        ClientPresence client = ClientPresence.of(routing);
        return answer(
                admitted,
                (exchange, model) ->
                        count(admitted, client, exchange.validate(model).prompt()));
    }

    private Multi<WorkerFrame.TokenCount> count(Admitted<?> admitted, ClientPresence client, Prompt prompt) {
        IntakeBudget.Share pixels = budget.reserve(0);
        try {
            List<ServerFrame.Image> decoded = images.decode(prompt.images(), pixels);
            client.whenGone(pixels::close);
            ServerFrame.CountTokens query = new ServerFrame.CountTokens(
                    newId(), prompt.input(), decoded, admitted.caller().tag());
            return admitted.worker().query(query).toMulti().onTermination().invoke(pixels::close);
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
        Admitted<Exchange> admitted = admission.admit(body, type, exchanges);
        return ask(admitted, (exchange, model) -> {
            Prompt.Chat chat = (Prompt.Chat) exchange.validate(model).prompt();
            return new ServerFrame.ApplyTemplate(
                    newId(), chat.input(), admitted.caller().tag());
        });
    }

    /** Asks what a model's slots do, for the current request. */
    public Uni<WorkerFrame.Slots> slots(ModelWorker worker) {
        return whileThere(worker.query(
                new ServerFrame.ReadSlots(newId(), Caller.of(routing).tag())));
    }

    private <E extends Addressed, R extends WorkerFrame.QueryResult> Uni<R> ask(
            Admitted<E> admitted, BiFunction<E, ModelInfo, ServerFrame.Query<R>> query) {
        return answer(admitted, (request, model) -> admitted.worker()
                .query(query.apply(request, model))
                .toMulti());
    }

    private <E extends Addressed, R extends WorkerFrame.QueryResult> Uni<R> answer(
            Admitted<E> admitted, BiFunction<E, ModelInfo, Multi<R>> answer) {
        return whileThere(admitted.whenLoaded(Optional.empty(), answer).toUni())
                .onFailure()
                .transform(admitted::named);
    }

    private <R> Uni<R> whileThere(Uni<R> answer) {
        return ClientPresence.of(routing)
                .whileThere(answer)
                // The answer comes on the thread that reads for all requests of the model.
                .emitOn(Infrastructure.getDefaultWorkerPool());
    }

    private static String newId() {
        return "query" + UUID.randomUUID().toString().replace("-", "");
    }
}
