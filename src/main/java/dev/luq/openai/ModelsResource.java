package dev.luq.openai;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.Variant;
import dev.luq.files.Sha256;
import dev.luq.http.access.Caller;
import dev.luq.http.access.Role;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.ModelWorker;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Lists the models of this server. */
@Path("/v1/models")
@RolesAllowed(Role.USER_NAME)
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
public final class ModelsResource {

    private static final int IDENTITY_DIGITS = 32;

    private final PermittedModels models;
    private final Catalog catalog;
    private final RoutingContext routing;

    @Inject
    public ModelsResource(PermittedModels models, Catalog catalog, RoutingContext routing) {
        this.models = models;
        this.catalog = catalog;
        this.routing = routing;
    }

    @GET
    @Operation(operationId = "listModels", summary = "All models that the key may use, the default one first")
    public Models list() {
        return Models.of(
                models.all(Caller.of(routing)).stream().map(this::describe).toList(), isAnthropic());
    }

    @GET
    @Path("/{id:.+}")
    @Operation(operationId = "getModel", summary = "One model, by id or alias")
    public Model get(@PathParam("id") String id) {
        return describe(models.get(Caller.of(routing), id));
    }

    private Model describe(ModelWorker worker) {
        ModelInfo info = worker.info().orElse(null);
        Optional<CatalogEntry> entry = catalog.find(worker.modelId());
        long created = entry.map(CatalogEntry::created).orElse(0L);
        return new Model(
                worker.modelId(),
                "model",
                "model",
                "active",
                info == null || info.name() == null ? worker.modelId() : info.name(),
                created,
                Instant.ofEpochSecond(created).toString(),
                "luq",
                Status.of(worker.state()),
                isAnthropic() ? null : capabilities(entry, info),
                names(worker.modelId(), entry),
                entry.map(model -> model.settings().tags()).orElse(List.of()),
                luq(worker, info, entry.flatMap(CatalogEntry::variant).orElse(null)));
    }

    private static List<String> names(String id, Optional<CatalogEntry> entry) {
        List<String> names = new ArrayList<>(List.of(id));
        entry.map(CatalogEntry::aliases).ifPresent(names::addAll);
        return names;
    }

    /**
     * What the files say that are served, loaded or not; but whether the chat template knows tools is only known of a
     * model that was loaded once.
     *
     * @param info null until then
     */
    private static List<String> capabilities(Optional<CatalogEntry> entry, ModelInfo info) {
        Optional<CatalogEntry.Facts> facts = entry.flatMap(CatalogEntry::facts);
        List<String> capabilities = new ArrayList<>();
        if (facts.map(CatalogEntry.Facts::generates).orElse(true)) {
            capabilities.add("chat");
        }
        if (info == null ? entry.flatMap(CatalogEntry::mmproj).isPresent() : info.vision()) {
            capabilities.add("vision");
        }
        if (info != null && info.tools()) {
            capabilities.add("tools");
        }
        if (facts.filter(CatalogEntry.Facts::embeds).isPresent()) {
            capabilities.add("embeddings");
        }
        if (facts.filter(CatalogEntry.Facts::ranks).isPresent()) {
            capabilities.add("rerank");
        }
        return capabilities;
    }

    /** Anthropic's clients name themselves, and have something else of the name {@code capabilities}. */
    private boolean isAnthropic() {
        return routing.request().headers().contains("anthropic-version");
    }

    private static Luq luq(ModelWorker worker, ModelInfo info, Variant variant) {
        String state = worker.state().name().toLowerCase(Locale.ROOT);
        String id = variant == null ? null : variant.id();
        String budget = variant == null ? null : variant.budget().orElse(null);
        List<Integer> lowLayers = variant == null ? null : variant.lowLayers();
        Map<String, Object> quality = variant == null ? null : variant.quality();
        return info == null
                ? new Luq(
                        state, null, null, null, null, null, null, null, null, null, null, id, budget, lowLayers,
                        quality)
                : new Luq(
                        state,
                        identity(info),
                        info.architecture(),
                        info.quantization(),
                        info.bitsPerWeight(),
                        info.modelBytes(),
                        info.parameters(),
                        info.contextSize(),
                        info.slotContextSize(),
                        info.trainingContext(),
                        info.slots(),
                        id,
                        budget,
                        lowLayers,
                        quality);
    }

    /**
     * The worker's word on files and settings, and what the server adds to requests that say nothing.
     *
     * @return null where the worker has none
     */
    static String identity(ModelInfo info) {
        return info.identity() == null
                ? null
                : Sha256.hex((info.identity() + info.defaults()).getBytes(UTF_8))
                        .substring(0, IDENTITY_DIGITS);
    }

    /**
     * All models on one page, as clients of OpenAI and of Anthropic read it.
     *
     * @param models the same as clients of llama-server and of Ollama read it; not for Anthropic's
     * @param hasMore false
     */
    @RegisterForReflection
    @Schema(name = "Models")
    public record Models(
            String object,
            List<Model> data,
            @JsonInclude(JsonInclude.Include.NON_NULL) List<Card> models,
            @JsonProperty("has_more") boolean hasMore,
            @JsonProperty("first_id") @Schema(nullable = true) String firstId,
            @JsonProperty("last_id") @Schema(nullable = true) String lastId) {

        static Models of(List<Model> data, boolean anthropic) {
            return new Models(
                    "list",
                    data,
                    anthropic ? null : data.stream().map(Card::of).toList(),
                    false,
                    data.isEmpty() ? null : data.get(0).id(),
                    data.isEmpty() ? null : data.get(data.size() - 1).id());
        }
    }

    /**
     * A model as llama-server lists it beside OpenAI's list.
     *
     * @param capabilities {@code completion} where it generates, else {@code embedding}; {@code multimodal} where it reads
     *     images
     */
    @RegisterForReflection
    @Schema(name = "ModelCard")
    public record Card(String name, String model, List<String> capabilities) {

        private static Card of(Model model) {
            List<String> capabilities = new ArrayList<>();
            capabilities.add(model.capabilities().contains("chat") ? "completion" : "embedding");
            if (model.capabilities().contains("vision")) {
                capabilities.add("multimodal");
            }
            return new Card(model.id(), model.id(), capabilities);
        }
    }

    /**
     * A model, as clients of OpenAI and of Anthropic read it.
     *
     * @param type as {@code object}
     * @param lifecycle {@code active}: Anthropic's word for what is not withdrawn
     * @param displayName what the model's file calls it, else its id
     * @param created when the model's file was last modified, in seconds since 1970
     * @param createdAt the same, in RFC 3339
     * @param status whether it is in memory
     * @param capabilities of {@code chat}, {@code vision}, {@code tools}, {@code embeddings}, {@code rerank}; not for
     *     Anthropic's clients
     * @param aliases all names that requests may use, the id first, as llama-server has them
     * @param tags as configured
     */
    @RegisterForReflection
    @Schema(name = "Model")
    public record Model(
            String id,
            String object,
            String type,
            @Schema(enumeration = "active") String lifecycle,
            @JsonProperty("display_name") String displayName,
            long created,
            @JsonProperty("created_at") String createdAt,
            @JsonProperty("owned_by") String ownedBy,
            Status status,
            @JsonInclude(JsonInclude.Include.NON_NULL) List<String> capabilities,
            List<String> aliases,
            List<String> tags,
            Luq luq) {}

    /**
     * Whether the model is in memory, in the form of llama-server's router.
     *
     * @param failed true when it cannot be loaded; absent otherwise
     */
    @RegisterForReflection
    @Schema(name = "ModelStatus")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Status(
            @Schema(enumeration = {"loaded", "loading", "unloaded"}) String value,
            @Schema(nullable = true) Boolean failed) {

        static Status of(ModelWorker.State state) {
            return switch (state) {
                case READY, RESTARTING, SWAPPING, DRAINING -> new Status("loaded", null);
                case LOADING -> new Status("loading", null);
                case UNLOADED -> new Status("unloaded", null);
                case FAILED -> new Status("unloaded", true);
            };
        }
    }

    /**
     * What lies behind the model's id. What is read from the loaded model is null until it was loaded once, what a
     * re-quantization says is null while the base files are served.
     */
    @RegisterForReflection
    @Schema(name = "LuqModel")
    public record Luq(
            @Schema(enumeration = {"loading", "ready", "restarting", "failed", "draining", "swapping", "unloaded"})
                    String state,
            @Schema(
                            nullable = true,
                            description =
                                    "Equal as long as the model's files (weights, projector), its chat template and"
                                            + " the settings that change its answers are")
                    String identity,
            @Schema(nullable = true) String architecture,
            @Schema(nullable = true) String quantization,
            @JsonProperty("bits_per_weight") @Schema(nullable = true) Double bitsPerWeight,
            @Schema(nullable = true) Long bytes,
            @Schema(nullable = true) Long parameters,
            @JsonProperty("context_size") @Schema(nullable = true, description = "Tokens shared by all slots")
                    Integer contextSize,
            @JsonProperty("slot_context_size")
                    @Schema(nullable = true, description = "Of these, tokens that one request may take")
                    Integer slotContextSize,
            @JsonProperty("training_context") @Schema(nullable = true) Integer trainingContext,
            @Schema(nullable = true) Integer slots,
            @Schema(nullable = true, description = "The re-quantized form that is served") String variant,
            @Schema(nullable = true, description = "What it was made for, such as 60%") String budget,
            @JsonProperty("low_layers")
                    @Schema(nullable = true, description = "Layers with fewer bits than the best ones")
                    List<Integer> lowLayers,
            @Schema(nullable = true, description = "What was measured on its files") Map<String, Object> quality) {}
}
