package dev.luq.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.LoadPolicy;
import dev.luq.catalog.ModelSettings;
import dev.luq.http.access.AuditLog;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.machine.Kernels;
import dev.luq.serving.MemoryUse;
import dev.luq.serving.ModelControl;
import dev.luq.serving.ModelWorkers;
import dev.luq.serving.ServedMemory;
import dev.luq.serving.SwapMode;
import dev.luq.serving.WorkerConfig;
import dev.luq.serving.WorkerSettings;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Changes what is served. Answers come when a change is done; it goes on when the client leaves. */
@Path("/admin/v1/models")
@RolesAllowed(Role.ADMIN_NAME)
@Produces(MediaType.APPLICATION_JSON)
@Singleton
@Audited
@TranslatesFailures
@Blocking
@APIResponse(
        responseCode = "4XX",
        description = "Refused, or the model cannot be served like that",
        content = @Content(schema = @Schema(implementation = ApiError.Body.class)))
@APIResponse(
        responseCode = "5XX",
        description = "The server cannot do it now",
        content = @Content(schema = @Schema(implementation = ApiError.Body.class)))
public class ModelsAdmin {

    private static final String BASE = "base";

    private final Catalog catalog;
    private final ModelWorkers workers;
    private final ModelControl control;
    private final ModelFolder folder;
    private final WorkerConfig config;
    private final ServedMemory memory;
    private final RoutingContext routing;

    @Inject
    ModelsAdmin(
            Catalog catalog,
            ModelWorkers workers,
            ModelControl control,
            ModelFolder folder,
            WorkerConfig config,
            ServedMemory memory,
            RoutingContext routing) {
        this.catalog = catalog;
        this.workers = workers;
        this.control = control;
        this.folder = folder;
        this.config = config;
        this.memory = memory;
        this.routing = routing;
    }

    @GET
    @Operation(operationId = "listAdminModels", summary = "All models, the default one first")
    public Models list() {
        List<CatalogEntry> entries = catalog.entries();
        MemoryUse use = control.memory();
        return new Models(
                "list",
                entries.stream().map(this::describe).toList(),
                new TotalMemory(use.limit() == Long.MAX_VALUE ? null : use.limit(), use.taken()));
    }

    @GET
    @Path("/{id:.+}")
    @Operation(operationId = "getAdminModel", summary = "One model")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public AdminModel get(@PathParam("id") String id) {
        return describe(catalog.get(id));
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "registerModel",
            summary = "Register a GGUF and start to load it, unless it is loaded on demand",
            description = "The files lie below luq.admin.models-dir. Registering the same model again changes nothing.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = NewModel.class)))
    @APIResponse(
            responseCode = "201",
            description = "Registered",
            content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public Uni<Response> register(InputStream body) throws IOException {
        NewModel model = AdminBody.read(body, NewModel.class);
        AuditLog.object(routing, model.id());
        String id = AdminBody.id(model.id(), "id");
        java.nio.file.Path file = folder.file(AdminBody.required(model.model(), "model"), "model");
        Optional<java.nio.file.Path> mmproj =
                Optional.ofNullable(model.mmproj()).map(name -> folder.file(name, "mmproj"));
        List<String> aliases = AdminBody.aliases(model.aliases());
        ModelSettings settings = ModelSettings.of(
                AdminBody.oneOf(LoadPolicy.class, model.load(), LoadPolicy.START, "load"),
                Optional.ofNullable(model.pinned()),
                AdminBody.keepAlive(model.keepAlive(), "keep_alive"),
                Optional.ofNullable(AdminBody.oneOf(Kernels.class, model.kernels(), null, "kernels")));
        Optional<CatalogEntry> same = catalog.withId(id)
                .filter(entry -> entry.registered()
                        && entry.base().model().get(0).equals(file)
                        && entry.base().mmproj().equals(mmproj)
                        && entry.aliases().equals(aliases)
                        && entry.settings().equals(settings));
        if (same.isPresent()) {
            return Uni.createFrom().item(Response.ok(describe(same.get())).build());
        }
        return done(control.register(id, file, mmproj, aliases, settings))
                .map(entry -> Response.status(Response.Status.CREATED)
                        .header("Location", "/admin/v1/models/" + id)
                        .entity(describe(entry))
                        .build());
    }

    @DELETE
    @Path("/{id:.+}")
    @Operation(
            operationId = "deleteModel",
            summary = "Forget a registered model",
            description = "After its running requests. Its files and variants stay.")
    @APIResponse(responseCode = "204", description = "Forgotten")
    public Uni<Void> delete(@PathParam("id") String id) {
        return done(control.delete(id));
    }

    @POST
    @Path("/{id:.+}/load")
    @Operation(operationId = "loadModel", summary = "Start a process for a model that is not loaded or failed")
    @APIResponse(
            responseCode = "200",
            description = "Loaded",
            content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public Uni<AdminModel> load(@PathParam("id") String id) {
        return done(control.load(id)).map(this::describe);
    }

    @POST
    @Path("/{id:.+}/unload")
    @Operation(
            operationId = "unloadModel",
            summary = "End a model's process after its running requests",
            description =
                    "A model that is loaded at the start stays unloaded, also after a restart of the server, until"
                            + " it is loaded again; one that is loaded on demand is loaded by the next request for it."
                            + " Requests that wait for it to load are refused.")
    @APIResponse(
            responseCode = "200",
            description = "Unloaded; its memory is free",
            content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public Uni<AdminModel> unload(@PathParam("id") String id) {
        return done(control.unload(id)).map(this::describe);
    }

    @POST
    @Path("/{id:.+}/default")
    @Operation(operationId = "setDefaultModel", summary = "Give requests that name no model this one")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public AdminModel makeDefault(@PathParam("id") String id) {
        catalog.setDefault(id);
        return describe(catalog.get(id));
    }

    @PUT
    @Path("/{id:.+}/aliases")
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(operationId = "setAliases", summary = "Replace the further names of a model")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = Aliases.class)))
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = AdminModel.class)))
    public AdminModel setAliases(@PathParam("id") String id, InputStream body) throws IOException {
        Aliases aliases = AdminBody.read(body, Aliases.class);
        return describe(catalog.setAliases(id, AdminBody.aliases(AdminBody.required(aliases.aliases(), "aliases"))));
    }

    @POST
    @Path("/{id:.+}/activation")
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "activateVariant",
            summary = "Serve a variant of a model, or its base files",
            description =
                    "No request fails by this. overlap: the next process starts beside the present one; pause: the"
                            + " present one ends first and requests wait; auto: by the memory that is left.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = NewActivation.class)))
    @APIResponse(
            responseCode = "200",
            description = "It is served",
            content = @Content(schema = @Schema(implementation = Activated.class)))
    public Uni<Activated> activate(@PathParam("id") String id, InputStream body) throws IOException {
        NewActivation request = AdminBody.read(body, NewActivation.class);
        AuditLog.object(routing, request.variant());
        String variant = AdminBody.required(request.variant(), "variant");
        SwapMode mode = AdminBody.oneOf(SwapMode.class, request.swap(), SwapMode.AUTO, "swap");
        return done(control.activate(id, variant.equals(BASE) ? Optional.empty() : Optional.of(variant), mode))
                .map(done -> new Activated(
                        describe(done.entry()),
                        done.mode().map(AdminBody::text).orElse("none"),
                        done.duration().toMillis() / 1000.0));
    }

    private static <T> Uni<T> done(CompletionStage<T> operation) {
        return Uni.createFrom().completionStage(operation).emitOn(Infrastructure.getDefaultWorkerPool());
    }

    private AdminModel describe(CatalogEntry entry) {
        boolean isDefault = catalog.entries().get(0).id().equals(entry.id());
        return AdminModel.of(
                entry,
                workers.find(entry.id())
                        .orElseThrow(
                                () -> new CatalogException.NotFound("The model " + entry.id() + " was just deleted")),
                isDefault,
                WorkerSettings.of(config, entry.settings()),
                memory.of(entry));
    }

    /** All models. */
    @RegisterForReflection
    @Schema(name = "AdminModels")
    public record Models(String object, List<AdminModel> data, TotalMemory memory) {}

    /** Memory of all models' processes together. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "TotalMemory")
    public record TotalMemory(
            @Schema(nullable = true, description = "Bytes that they may take; null where the machine does not say")
                    Long limitBytes,
            @Schema(description = "Bytes that they take as measured, or as estimated where that is more")
                    long takenBytes) {}

    /** A model to register. */
    @RegisterForReflection
    @Schema(name = "NewModel")
    public record NewModel(
            @Schema(required = true, description = "Its name in the API") String id,
            @Schema(required = true, description = "GGUF below luq.admin.models-dir; of a split model, its first part")
                    String model,
            @Schema(nullable = true, description = "Its vision projector, also there") String mmproj,
            @Schema(nullable = true, description = "Further names") List<String> aliases,
            @Schema(
                            nullable = true,
                            enumeration = {"fast", "compact", "stock"},
                            description = "What multiplies its weights;" + " as configured for all models unless given")
                    String kernels,
            @Schema(
                            nullable = true,
                            enumeration = {"start", "demand"},
                            description = "When it is loaded: now and with the server, or when a request for it comes")
                    String load,
            @Schema(nullable = true, description = "Whether it stays when another model needs its memory")
                    Boolean pinned,
            @JsonProperty("keep_alive")
                    @Schema(
                            nullable = true,
                            oneOf = {Double.class, String.class},
                            description = "How long it stays after its last request: seconds, 5m, 0, or -1 for ever")
                    JsonNode keepAlive) {}

    /** Further names of a model. */
    @RegisterForReflection
    @Schema(name = "Aliases")
    public record Aliases(@Schema(required = true) List<String> aliases) {}

    /** What is to be served. */
    @RegisterForReflection
    @Schema(name = "NewActivation")
    public record NewActivation(
            @Schema(required = true, description = "Id of a variant in the store, or base") String variant,
            @Schema(
                            nullable = true,
                            enumeration = {"auto", "overlap", "pause"})
                    String swap) {}

    /** What is served now. */
    @RegisterForReflection
    @Schema(name = "Activation")
    public record Activated(
            AdminModel model,
            @Schema(
                            enumeration = {"overlap", "pause", "none"},
                            description = "none: no process had to change")
                    String swap,
            @Schema(description = "Until it was served") double seconds) {}
}
