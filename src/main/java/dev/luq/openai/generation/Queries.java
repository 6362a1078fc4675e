package dev.luq.openai.generation;

import dev.luq.http.AnswerShare;
import dev.luq.http.ClientPresence;
import dev.luq.http.access.CacheSalts;
import dev.luq.http.access.Caller;
import dev.luq.http.access.RateLimits;
import dev.luq.http.errors.ApiException;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.InFlightAnswer;
import dev.luq.serving.ModelWorker;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Asks models for what they know without generating. Methods are called on a worker thread; an answer holds none. */
@Singleton
public final class Queries {

    private final Admission admission;
    private final RateLimits rates;
    private final CacheSalts salts;
    private final DecodedImages images;
    private final RoutingContext routing;

    @Inject
    Queries(Admission admission, RateLimits rates, CacheSalts salts, DecodedImages images, RoutingContext routing) {
        this.admission = admission;
        this.rates = rates;
        this.salts = salts;
        this.images = images;
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
        return images.during(admitted, prompt.images(), client, (decoded, letGo) -> {
            ServerFrame.CountTokens query = new ServerFrame.CountTokens(
                    newId(), prompt.input(), decoded, admitted.caller().tag());
            return admitted.worker().query(query, admitted.newAnswer()).toMulti();
        });
    }

    /**
     * What a request wants to have embedded.
     *
     * @param form of the answer
     * @param parts bytes of what the answer will be made of; see {@link AnswerShare#add}
     * @param json bytes of the answer
     */
    public record ToEmbed<F>(List<Prompt.Raw> prompts, F form, long parts, long json) {}

    /**
     * The embeddings that a request asked for.
     *
     * @param model id of the model that made them
     * @param embeddings in the order of the prompts
     */
    public record Embedded<F>(F form, String model, List<WorkerFrame.Embedding> embeddings) {}

    /**
     * Embeds what the current request asks for, so many prompts at once as go into one query; equal ones once.
     *
     * @param body JSON
     * @param type of the body and the request
     * @param check of a request to a model
     * @throws ApiException if the request is refused at once
     */
    public <E extends Addressed, F> Uni<Embedded<F>> embed(
            InputStream body, Class<E> type, BiFunction<E, ModelInfo, ToEmbed<F>> check) throws IOException {
        Admitted<E> admitted = admission.admit(body, type, Function.identity());
        ClientPresence client = ClientPresence.of(routing);
        AnswerShare share = AnswerShare.of(routing);
        return answer(admitted, (request, model) -> {
            ToEmbed<F> asked = check.apply(request, model);
            share.add(asked.parts(), asked.json());
            DistinctPrompts distinct = DistinctPrompts.of(asked.prompts());
            List<ImageReference> references = distinct.prompts().stream()
                    .flatMap(prompt -> prompt.images().stream())
                    .toList();
            return images.during(admitted, references, client, (decoded, letGo) -> embed(
                            admitted, queries(distinct.prompts(), decoded, admitted.caller()))
                    .map(found -> new Embedded<>(asked.form(), admitted.worker().modelId(), distinct.all(found))));
        });
    }

    private Multi<List<WorkerFrame.Embedding>> embed(Admitted<?> admitted, List<ServerFrame.Embed> queries) {
        InFlightAnswer answer = admitted.newAnswer();
        return Multi.createFrom()
                .iterable(queries)
                .onItem()
                .transformToUniAndConcatenate(query -> admitted.worker().query(query, answer))
                .onItem()
                .transformToIterable(WorkerFrame.Embeddings::embeddings)
                .onItem()
                .invoke(embedding -> rates.charge(admitted.caller(), embedding.tokens()))
                .collect()
                .asList()
                .toMulti();
    }

    private List<ServerFrame.Embed> queries(List<Prompt.Raw> prompts, List<ServerFrame.Image> decoded, Caller caller) {
        List<ServerFrame.Embed> queries = new ArrayList<>();
        String salt = salts.of(caller, null);
        int image = 0;
        for (int from = 0; from < prompts.size(); from += ServerFrame.Embed.MOST_PROMPTS) {
            List<Prompt.Raw> some =
                    prompts.subList(from, Math.min(prompts.size(), from + ServerFrame.Embed.MOST_PROMPTS));
            int next = image
                    + some.stream().mapToInt(prompt -> prompt.images().size()).sum();
            queries.add(new ServerFrame.Embed(
                    newId(),
                    some.stream().map(Prompt.Raw::input).toList(),
                    decoded.subList(image, next),
                    caller.tag(),
                    salt));
            image = next;
        }
        return queries;
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
        AnswerShare share = AnswerShare.of(routing);
        return answer(admitted, (request, model) -> admitted.worker()
                .query(query.apply(request, model), admitted.newAnswer())
                .invoke(found -> AnswerWeight.add(found, share, 1))
                .toMulti());
    }

    private <E extends Addressed, R> Uni<R> answer(Admitted<E> admitted, BiFunction<E, ModelInfo, Multi<R>> answer) {
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
