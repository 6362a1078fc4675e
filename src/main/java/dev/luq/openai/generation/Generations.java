package dev.luq.openai.generation;

import dev.luq.catalog.KeepAlive;
import dev.luq.http.AnswerShare;
import dev.luq.http.ApiConfig;
import dev.luq.http.ClientPresence;
import dev.luq.http.access.CacheSalts;
import dev.luq.http.access.Caller;
import dev.luq.http.access.RateLimits;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.InFlightAnswer;
import dev.luq.serving.ModelWorker;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** Answers the requests of all endpoints that generate. */
@Singleton
public final class Generations {

    private final Admission admission;
    private final RateLimits rates;
    private final CacheSalts salts;
    private final DecodedImages images;
    private final ApiConfig config;
    private final RoutingContext routing;

    @Inject
    Generations(
            Admission admission,
            RateLimits rates,
            CacheSalts salts,
            DecodedImages images,
            ApiConfig config,
            RoutingContext routing) {
        this.admission = admission;
        this.rates = rates;
        this.salts = salts;
        this.images = images;
        this.config = config;
        this.routing = routing;
    }

    /**
     * Answers the current request. Called on a worker thread, which reads, checks and decodes; the generation itself holds
     * none.
     *
     * @param body JSON
     * @param type what the body is read as
     * @param exchanges the exchange of a body
     * @throws ApiException if the request is refused at once
     */
    public <R> Uni<Response> answer(InputStream body, Class<R> type, Function<? super R, ? extends Exchange> exchanges)
            throws IOException {
        return answer(admission.admit(body, type, exchanges));
    }

    private Uni<Response> answer(Admitted<? extends Exchange> admitted) {
        ModelWorker worker = admitted.worker();
        boolean stream = admitted.request().stream();
        // Holds the request until it is validated. A whole answer has no events: they would hold it to the end.
        PendingEvents events = stream ? new PendingEvents(admitted.request()::failure, worker) : null;
        int repeats = admitted.request().repeats();
        AtomicReference<AnswerBuilder> builder = new AtomicReference<>();
        ClientPresence client = ClientPresence.of(routing);
        AnswerShare share = AnswerShare.of(routing);
        Multi<ChoiceFrame> frames = admitted.whenLoaded(keepAlive(admitted), (exchange, model) -> {
            requireGeneration(model);
            ValidRequest valid = exchange.validate(model);
            CompletionHeader header = CompletionHeader.of(exchange.idPrefix(), worker.modelId(), model);
            if (stream) {
                events.validated(exchange.events(header, valid));
            } else {
                builder.set(exchange.answer(header, valid));
            }
            UnaryOperator<Multi<ChoiceFrame>> first = !stream && exchange.tellsPrompt(config.verbose())
                    ? generated -> tellPrompt(admitted, header, valid, builder.get(), share)
                            .onItem()
                            .transformToMulti(told -> generated)
                    : UnaryOperator.identity();
            return generate(admitted, client, header, valid, model.slots(), first);
        });
        return (stream
                        ? stream(counted(frames, repeats, share), events, admitted::describe, client)
                        : complete(frames, builder, client, share))
                .onFailure()
                .transform(admitted::named);
    }

    /** @param repeats see {@link Exchange#repeats} */
    private static Multi<ChoiceFrame> counted(Multi<ChoiceFrame> frames, int repeats, AnswerShare share) {
        return repeats == 0 ? frames : frames.onItem().invoke(frame -> AnswerWeight.add(frame.frame(), share, repeats));
    }

    private static Uni<Void> tellPrompt(
            Admitted<?> admitted,
            CompletionHeader header,
            ValidRequest valid,
            AnswerBuilder builder,
            AnswerShare share) {
        Prompt.Chat chat = (Prompt.Chat) valid.prompt();
        return admitted.worker()
                .query(
                        new ServerFrame.ApplyTemplate(
                                header.id() + "-prompt",
                                chat.input(),
                                admitted.caller().tag()),
                        admitted.newAnswer())
                .onItem()
                .invoke(prompt -> {
                    AnswerWeight.add(prompt, share, 1);
                    builder.tell(prompt.text());
                })
                .replaceWithVoid();
    }

    private static void requireGeneration(ModelInfo model) {
        if (!model.generates()) {
            throw new ApiException.InvalidRequest(
                    "model",
                    "This model generates no text: it "
                            + (model.ranks()
                                    ? "ranks documents, POST /v1/rerank"
                                    : "makes embeddings, POST /v1/embeddings")
                            + ". Choose one that has chat"
                            + " among its capabilities in GET /v1/models.");
        }
    }

    /** Who may change what others find loaded. */
    private Optional<KeepAlive> keepAlive(Admitted<? extends Exchange> admitted) {
        boolean may = admitted.caller().role() == Role.ADMIN || config.userKeepAlive();
        return admitted.request().keepAlive().filter(asked -> may);
    }

    /** @param first puts what comes before the generation in front of it */
    private Multi<ChoiceFrame> generate(
            Admitted<?> admitted,
            ClientPresence client,
            CompletionHeader header,
            ValidRequest valid,
            int slots,
            UnaryOperator<Multi<ChoiceFrame>> first) {
        Caller caller = admitted.caller();
        String tag = caller.tag();
        String salt = salts.of(caller, valid.cacheSalt());
        return images.during(admitted, valid.images(), client, (decoded, letGo) -> {
            List<ServerFrame.Generate> choices = IntStream.range(0, valid.choices())
                    .mapToObj(i ->
                            valid.generate(header.id() + "-" + i, i, decoded).of(tag, salt))
                    .toList();
            InFlightAnswer answer = admitted.newAnswer();
            answer.whenTokenized(choices.size(), letGo);
            Multi<ChoiceFrame> frames = first.apply(ChoiceFrame.generate(admitted.worker(), choices, slots, answer));
            if (!rates.countsTokens(caller)) {
                return frames;
            }
            TokenCharge charge =
                    new TokenCharge(choices.size(), valid.choicesPerPrompt(), tokens -> rates.charge(caller, tokens));
            return frames.onItem().invoke(charge::add).onTermination().invoke(charge::close);
        });
    }

    /** @param builder is there when the first frame is */
    private static Uni<Response> complete(
            Multi<ChoiceFrame> frames,
            AtomicReference<AnswerBuilder> builder,
            ClientPresence client,
            AnswerShare share) {
        return client.whileThere(frames.onItem()
                        .invoke(frame -> {
                            AnswerWeight.add(frame.frame(), share, 1);
                            builder.get().add(frame);
                        })
                        .onItem()
                        .ignoreAsUni())
                // The frames come on the thread that reads for all requests of the model.
                .emitOn(Infrastructure.getDefaultWorkerPool())
                .map(end -> Response.ok(builder.get().build(), MediaType.APPLICATION_JSON_TYPE)
                        .build());
    }

    private Uni<Response> stream(
            Multi<ChoiceFrame> frames,
            AnswerEvents events,
            Function<Throwable, ApiError> errors,
            ClientPresence client) {
        return client.whileThere(AnswerStream.open(
                        frames,
                        events,
                        errors,
                        config.stalledClientTimeout(),
                        config.streamKeepAlive(),
                        Vertx.currentContext(),
                        client))
                .map(stream -> Response.ok(stream, MediaType.SERVER_SENT_EVENTS_TYPE)
                        .header("Cache-Control", "no-cache")
                        // Proxies of the nginx kind would hold events back.
                        .header("X-Accel-Buffering", "no")
                        .build());
    }
}
