package dev.luq.admin;

import dev.luq.http.Accepted;
import dev.luq.http.ApiConfig;
import dev.luq.http.access.AuditLog;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.jobs.Job;
import dev.luq.jobs.JobEvents;
import dev.luq.jobs.Jobs;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jboss.resteasy.reactive.ResponseHeader;

/** Re-quantizations of models to a budget, while they are served. */
@Path(RequantizationsAdmin.PATH)
@RolesAllowed(Role.ADMIN_NAME)
@Produces(MediaType.APPLICATION_JSON)
@Singleton
@Audited
@TranslatesFailures
@Blocking
@APIResponse(
        responseCode = "4XX",
        description = "Refused",
        content = @Content(schema = @Schema(implementation = ApiError.Body.class)))
@APIResponse(
        responseCode = "5XX",
        description = "The server cannot do it now",
        content = @Content(schema = @Schema(implementation = ApiError.Body.class)))
public class RequantizationsAdmin {

    static final String PATH = "/admin/v1/requantizations";

    /** The page shows pictures of its own and nothing else. */
    private static final String PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

    private final Jobs jobs;
    private final RequantizationFactory factory;
    private final ApiConfig config;
    private final RoutingContext routing;

    @Inject
    RequantizationsAdmin(Jobs jobs, RequantizationFactory factory, ApiConfig config, RoutingContext routing) {
        this.jobs = jobs;
        this.factory = factory;
        this.config = config;
        this.routing = routing;
    }

    @GET
    @Operation(operationId = "listRequantizations", summary = "All re-quantizations, the latest first")
    public Requantizations list() {
        return new Requantizations(
                "list", jobs.list().stream().map(this::describe).toList());
    }

    @GET
    @Path("/{id}")
    @Operation(operationId = "getRequantization", summary = "One re-quantization, with phase, progress and time left")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = AdminRequantization.class)))
    public AdminRequantization get(@PathParam("id") String id) {
        return describe(jobs.get(id));
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "createRequantization",
            summary = "Re-quantize a model to a budget",
            description = "The job is queued, survives restarts, and its result is a variant in the store. With an"
                    + " Idempotency-Key the same request again finds the job that it made.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = NewRequantization.class)))
    @APIResponse(
            responseCode = "202",
            description = "Queued; Location names it",
            content = @Content(schema = @Schema(implementation = AdminRequantization.class)))
    public Response create(@HeaderParam("Idempotency-Key") String key, InputStream body) throws IOException {
        NewRequantization request = AdminBody.read(body, NewRequantization.class);
        AuditLog.object(routing, request.model());
        Optional<Job.Idempotency> idempotency = RequantizationFactory.idempotency(key, request);
        // What was right then need not be right now: the sets of a finished job may be gone.
        Job job = idempotency.flatMap(jobs::find).orElseGet(() -> jobs.create(factory.job(request, idempotency)));
        AuditLog.object(routing, job.id() + " of " + job.modelId());
        return Response.accepted(describe(job))
                .header("Location", PATH + "/" + job.id())
                .build();
    }

    @POST
    @Path("/{id}/cancel")
    @Operation(
            operationId = "cancelRequantization",
            summary = "Stop a re-quantization",
            description = "One that runs stops soon. What it has done is kept for resuming it.")
    @APIResponse(
            responseCode = "202",
            description = "It stops",
            content = @Content(schema = @Schema(implementation = AdminRequantization.class)))
    public Response cancel(@PathParam("id") String id) {
        return Response.accepted(describe(jobs.cancel(id))).build();
    }

    @POST
    @Path("/{id}/resume")
    @Operation(
            operationId = "resumeRequantization",
            summary = "Queue a failed or cancelled re-quantization again",
            description = "It goes on where it was.")
    @APIResponse(
            responseCode = "202",
            description = "Queued",
            content = @Content(schema = @Schema(implementation = AdminRequantization.class)))
    public Response resume(@PathParam("id") String id) {
        return Response.accepted(describe(jobs.resume(id))).build();
    }

    @DELETE
    @Path("/{id}")
    @Operation(
            operationId = "deleteRequantization",
            summary = "Forget a re-quantization that has ended",
            description = "Its report goes too; its result stays a variant.")
    @APIResponse(responseCode = "204", description = "Deleted")
    public void delete(@PathParam("id") String id) {
        jobs.delete(id);
    }

    @GET
    @Path("/{id}/events")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(
            operationId = "watchRequantization",
            summary = "Follow a re-quantization",
            description = "Each event state carries the whole re-quantization: the present one first, unless"
                    + " Last-Event-ID names it, then each change. The stream ends with the job.")
    @APIResponse(
            responseCode = "200",
            content =
                    @Content(
                            mediaType = MediaType.SERVER_SENT_EVENTS,
                            schema = @Schema(implementation = AdminRequantization.class)))
    @ResponseHeader(name = "Cache-Control", value = "no-cache")
    // Proxies of the nginx kind would hold events back.
    @ResponseHeader(name = "X-Accel-Buffering", value = "no")
    public Multi<OutboundSseEvent> events(
            @PathParam("id") String id, @HeaderParam("Last-Event-ID") String last, @Context Sse sse) {
        Multi<Optional<OutboundSseEvent>> states = jobs.changes(id)
                .filter(event -> !event.id().equals(last))
                .map(event -> Optional.of(event(event, sse)))
                .onCompletion()
                .continueWith(Optional.empty());
        Multi<Optional<OutboundSseEvent>> comments = Multi.createFrom()
                .ticks()
                .startingAfter(config.streamKeepAlive())
                .every(config.streamKeepAlive())
                .onOverflow()
                .drop()
                .map(tick ->
                        Optional.of(sse.newEventBuilder().comment("waiting").build()));
        return Multi.createBy()
                .merging()
                .streams(states, comments)
                .select()
                .first(Optional::isPresent)
                .map(Optional::orElseThrow);
    }

    private OutboundSseEvent event(JobEvents.Event event, Sse sse) {
        return sse.newEventBuilder()
                .id(event.id())
                .name("state")
                .mediaType(MediaType.APPLICATION_JSON_TYPE)
                .data(AdminRequantization.class, describe(event.job()))
                .build();
    }

    @GET
    @Path("/{id}/report")
    @Produces({MediaType.APPLICATION_JSON, MediaType.TEXT_HTML})
    @Operation(operationId = "getReport", summary = "What was measured, as JSON or, with Accept: text/html, as a page")
    @APIResponse(
            responseCode = "200",
            content = {@Content(mediaType = MediaType.APPLICATION_JSON), @Content(mediaType = MediaType.TEXT_HTML)})
    public Response report(@PathParam("id") String id, @Context HttpHeaders headers) {
        boolean page = Accepted.prefers(headers, MediaType.TEXT_HTML_TYPE, MediaType.APPLICATION_JSON_TYPE);
        java.nio.file.Path report = jobs.folder(jobs.get(id)).resolve(page ? "report.html" : "report.json");
        if (!Files.isRegularFile(report)) {
            throw new Refused(ApiError.of(404, "not_found", "The re-quantization has no report yet"));
        }
        return Response.ok(
                        report.toFile(),
                        page ? MediaType.TEXT_HTML_TYPE.withCharset("utf-8") : MediaType.APPLICATION_JSON_TYPE)
                .header("Content-Security-Policy", PAGE_POLICY)
                .header("Vary", "Accept")
                .build();
    }

    private AdminRequantization describe(Job job) {
        return AdminRequantization.of(job, jobs.position(job.id()));
    }

    /** All re-quantizations. */
    @RegisterForReflection
    @Schema(name = "Requantizations")
    public record Requantizations(String object, List<AdminRequantization> data) {}
}
