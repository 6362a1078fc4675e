package dev.luq.openai.chat;

import dev.luq.http.ApiConfig;
import dev.luq.http.ClientPresence;
import dev.luq.http.access.CacheSalts;
import dev.luq.http.access.Caller;
import dev.luq.http.access.RateLimits;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.RequestId;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.JsonBody;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.openai.PermittedModels;
import dev.luq.openai.images.ImageIntake;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.GenerationListener;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Answers conversations with text and images. */
@Path("/v1/chat/completions")
@RolesAllowed(Role.USER_NAME)
public final class ChatResource {

    private final PermittedModels models;
    private final RateLimits rates;
    private final CacheSalts salts;
    private final ImageIntake images;
    private final IntakeBudget budget;
    private final ApiConfig config;
    private final Instance<GenerationListener> listeners;
    private final RoutingContext routing;

    @Inject
    public ChatResource(
            PermittedModels models,
            RateLimits rates,
            CacheSalts salts,
            ImageIntake images,
            IntakeBudget budget,
            ApiConfig config,
            Instance<GenerationListener> listeners,
            RoutingContext routing) {
        this.models = models;
        this.rates = rates;
        this.salts = salts;
        this.images = images;
        this.budget = budget;
        this.config = config;
        this.listeners = listeners;
        this.routing = routing;
    }

    /** Reads, checks and decodes on a worker thread; the generation itself holds none. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            summary = "Answer a conversation",
            description = "With stream: true the answer comes as server-sent events.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ChatRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = ChatCompletion.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    @APIResponse(
            responseCode = "4XX",
            description = "The request cannot be answered",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ApiError.Body.class)))
    @APIResponse(
            responseCode = "5XX",
            description = "The server cannot answer now",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ApiError.Body.class)))
    public Uni<Response> create(InputStream body) throws IOException {
        Caller caller = Caller.of(routing);
        rates.admit(caller);
        try (ReceivedBody received = ReceivedBody.of(routing)) {
            ChatRequest request = JsonBody.read(body, budget.largestBody(), ChatRequest.class);
            ModelWorker worker = models.get(caller, request.model());
            try {
                return answer(caller, request, worker);
            } catch (ApiException refused) {
                listeners.forEach(listener ->
                        listener.rejected(worker.modelId(), refused.error().code()));
                throw refused;
            }
        }
    }

    private Uni<Response> answer(Caller caller, ChatRequest request, ModelWorker worker) {
        ModelInfo model = worker.info().orElseThrow(() -> notReady(worker));
        ValidRequest valid = ValidRequest.of(request, model);
        CompletionHeader header = CompletionHeader.of(worker.modelId(), model);
        IntakeBudget.Share pixels = budget.reserve(0);
        String tag = caller.tag();
        String salt = salts.of(caller, valid.cacheSalt());
        try {
            List<ServerFrame.Image> decoded = images.decode(valid.images(), pixels);
            // The framework begins nothing for a client that has left: the frames' end would never come.
            ClientPresence.of(routing).whenGone(pixels::close);
            List<ServerFrame.Generate> choices = IntStream.range(0, valid.choices())
                    .mapToObj(i ->
                            valid.generate(header.id() + "-" + i, i, decoded).of(tag, salt))
                    .toList();
            Multi<ChoiceFrame> frames =
                    ChoiceFrame.generate(worker, choices).onTermination().invoke(pixels::close);
            if (rates.countsTokens(caller)) {
                TokenCharge charge = new TokenCharge(choices.size(), tokens -> rates.charge(caller, tokens));
                frames = frames.onItem().invoke(charge::add).onTermination().invoke(charge::close);
            }
            return valid.stream() ? stream(frames, header, valid) : complete(frames, header, valid);
        } catch (RuntimeException | Error refused) {
            pixels.close();
            throw refused;
        }
    }

    private Uni<Response> complete(Multi<ChoiceFrame> frames, CompletionHeader header, ValidRequest valid) {
        ChatCompletion.Builder builder =
                new ChatCompletion.Builder(header, valid.choices(), valid.logprobs(), valid.timings());
        return ClientPresence.of(routing)
                .whileThere(frames.onItem().invoke(builder::add).onItem().ignoreAsUni())
                // The frames come on the thread that reads for all requests of the model.
                .emitOn(Infrastructure.getDefaultWorkerPool())
                .map(end -> Response.ok(builder.build(), MediaType.APPLICATION_JSON_TYPE)
                        .build());
    }

    private Uni<Response> stream(Multi<ChoiceFrame> frames, CompletionHeader header, ValidRequest valid) {
        Chunks chunks = new Chunks(header, valid.choices(), valid.includeUsage(), valid.timings());
        ClientPresence client = ClientPresence.of(routing);
        return client.whileThere(ChatStream.open(
                        frames,
                        chunks,
                        RequestId.of(routing),
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

    private static WorkerException notReady(ModelWorker worker) {
        return new WorkerException.NotReady(
                worker.state(),
                worker.state() == ModelWorker.State.FAILED
                        ? "The model cannot be served: " + worker.failure().orElse("it failed to load")
                        : "The model is loading");
    }
}
