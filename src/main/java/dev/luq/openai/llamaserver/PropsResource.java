package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.catalog.Catalog;
import dev.luq.http.ApiConfig;
import dev.luq.http.access.Caller;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.openai.PermittedModels;
import dev.luq.openai.generation.Admission;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.serving.ModelWorker;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** What a model is and how it is served, as llama-server tells it. */
@Path("/props")
@RolesAllowed(Role.USER_NAME)
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
public final class PropsResource {

    private final PermittedModels models;
    private final Catalog catalog;
    private final ApiConfig config;
    private final RoutingContext routing;

    @Inject
    public PropsResource(PermittedModels models, Catalog catalog, ApiConfig config, RoutingContext routing) {
        this.models = models;
        this.catalog = catalog;
        this.config = config;
        this.routing = routing;
    }

    @GET
    @Operation(operationId = "getProps", summary = "What a model is and how it is served")
    public Props get(@QueryParam("model") String model) {
        ModelWorker worker = models.get(Caller.of(routing), model);
        ModelInfo info = Admission.info(worker);
        return new Props(
                new Defaults(info.slotContextSize(), NativeSettings.defaults(info.defaults())),
                info.slots(),
                worker.modelId(),
                catalog.find(worker.modelId())
                        .map(entry -> entry.files().get(0).getFileName().toString())
                        .orElse(null),
                info.quantization(),
                new Modalities(info.vision(), false, false),
                ServerFrame.ApplyTemplate.MEDIA_MARK,
                config.slots(),
                false,
                config.metrics(),
                info.props().chatTemplate(),
                info.props().beginToken(),
                info.props().endToken(),
                info.props().build(),
                worker.state() == ModelWorker.State.UNLOADED);
    }

    /** Refused. */
    @POST
    @RolesAllowed(Role.ADMIN_NAME)
    @Operation(
            operationId = "setProps",
            summary = "Refused: what a server runs with is configured",
            description = "Sampling is set in each request.")
    public Uni<Props> set() {
        return Uni.createFrom()
                .failure(new Refused(ApiError.of(
                        400,
                        "unsupported_operation",
                        "Properties of a running server cannot be changed. Set sampling in each request, and the rest in"
                                + " the server's configuration.")));
    }

    /**
     * @param modelFile name of the model's file, without its folder
     * @param quantization the file type's name
     * @param chatTemplate Jinja, or the configured name of one; null when the file has none
     */
    @RegisterForReflection
    @Schema(name = "Props")
    public record Props(
            @JsonProperty("default_generation_settings") Defaults defaults,
            @JsonProperty("total_slots") int totalSlots,
            @JsonProperty("model_alias") String modelAlias,
            @JsonProperty("model_path") @Schema(nullable = true) String modelFile,
            @JsonProperty("model_ftype") String quantization,
            Modalities modalities,
            @JsonProperty("media_marker") String mediaMarker,
            @JsonProperty("endpoint_slots") boolean slotsEndpoint,
            @JsonProperty("endpoint_props") boolean propsEndpoint,
            @JsonProperty("endpoint_metrics") boolean metricsEndpoint,
            @JsonProperty("chat_template") @JsonInclude(JsonInclude.Include.NON_NULL) String chatTemplate,
            @JsonProperty("bos_token") @Schema(nullable = true) String beginToken,
            @JsonProperty("eos_token") @Schema(nullable = true) String endToken,
            @JsonProperty("build_info") String build,
            @JsonProperty("is_sleeping") boolean sleeping) {}

    /**
     * @param contextSize tokens that one slot may have
     * @param params of completions in llama-server's form
     */
    @RegisterForReflection
    @Schema(name = "PropsDefaults")
    public record Defaults(@JsonProperty("n_ctx") int contextSize, NativeSettings params) {}

    @RegisterForReflection
    @Schema(name = "PropsModalities")
    public record Modalities(boolean vision, boolean audio, boolean video) {}
}
