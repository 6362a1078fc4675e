package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.http.ApiConfig;
import dev.luq.http.access.Caller;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.openai.PermittedModels;
import dev.luq.openai.generation.Admission;
import dev.luq.openai.generation.Queries;
import dev.luq.protocol.WorkerFrame;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerConfig;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** What the slots of a model do at this moment. For administrators: it tells of the requests of others. */
@Path("/slots")
@RolesAllowed(Role.ADMIN_NAME)
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
public final class SlotsResource {

    private final PermittedModels models;
    private final Queries queries;
    private final WorkerConfig config;
    private final ApiConfig api;
    private final RoutingContext routing;

    @Inject
    public SlotsResource(
            PermittedModels models, Queries queries, WorkerConfig config, ApiConfig api, RoutingContext routing) {
        this.models = models;
        this.queries = queries;
        this.config = config;
        this.api = api;
        this.routing = routing;
    }

    @GET
    @Operation(
            operationId = "listSlots",
            summary = "What a model's slots do",
            description = "With fail_on_no_slot an answer of 503 says that none is free.")
    public Uni<List<Slot>> list(@QueryParam("model") String model, @QueryParam("fail_on_no_slot") String failOnNoSlot) {
        if (!api.slots()) {
            throw new Refused(ApiError.of(
                    501, "unsupported_operation", "This server does not tell of its slots: luq.api.slots is false."));
        }
        ModelWorker worker = models.get(Caller.of(routing), model);
        int contextSize = Admission.info(worker).slotContextSize();
        boolean speculative = config.speculation() != WorkerConfig.Speculation.NONE;
        return queries.slots(worker).map(found -> {
            if (failOnNoSlot != null && found.slots().stream().allMatch(slot -> slot.request() != null)) {
                throw new Refused(ApiError.retryable(503, "no_slot_available", "No slot is free", 1));
            }
            return IntStream.range(0, found.slots().size())
                    .mapToObj(id ->
                            Slot.of(id, contextSize, speculative, found.slots().get(id)))
                    .toList();
        });
    }

    /**
     * @param contextSize tokens that it may have
     * @param speculative whether tokens are drafted where the model allows it
     * @param promptTokens of its request; null when none runs
     * @param processedTokens of the prompt, those that were evaluated
     * @param cachedTokens of the prompt, those that the cache held
     */
    @RegisterForReflection
    @Schema(name = "Slot")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Slot(
            int id,
            @JsonProperty("n_ctx") int contextSize,
            boolean speculative,
            @JsonProperty("is_processing") boolean processing,
            @JsonProperty("n_past") int cells,
            @JsonProperty("n_prompt_tokens") Integer promptTokens,
            @JsonProperty("n_prompt_tokens_processed") Integer processedTokens,
            @JsonProperty("n_prompt_tokens_cache") Integer cachedTokens,
            @JsonProperty("next_token") List<NextToken> nextToken) {

        private static Slot of(int id, int contextSize, boolean speculative, WorkerFrame.Slot slot) {
            boolean busy = slot.request() != null;
            return new Slot(
                    id,
                    contextSize,
                    speculative,
                    busy,
                    slot.cells(),
                    busy ? slot.promptTokens() : null,
                    busy ? slot.evaluatedTokens() - slot.cachedTokens() : null,
                    busy ? slot.cachedTokens() : null,
                    busy ? List.of(NextToken.of(slot)) : null);
        }
    }

    /** @param remaining tokens that may still be generated; -1 for as many as the context holds */
    @RegisterForReflection
    @Schema(name = "SlotNextToken")
    public record NextToken(
            @JsonProperty("has_next_token") boolean hasNextToken,
            @JsonProperty("n_remain") int remaining,
            @JsonProperty("n_decoded") int decoded) {

        private static NextToken of(WorkerFrame.Slot slot) {
            return new NextToken(
                    true,
                    slot.maxTokens() == 0 ? -1 : slot.maxTokens() - slot.generatedTokens(),
                    slot.generatedTokens());
        }
    }
}
