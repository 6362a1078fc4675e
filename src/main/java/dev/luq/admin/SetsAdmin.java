package dev.luq.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.datasets.CalibrationSet;
import dev.luq.datasets.CalibrationSets;
import dev.luq.datasets.SetsConfig;
import dev.luq.http.access.AuditLog;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.http.intake.BodyIntake;
import dev.luq.jobs.Job;
import dev.luq.jobs.Jobs;
import dev.luq.requant.spec.RequantizationSpec;
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
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Calibration and evaluation sets. */
@Path(SetsAdmin.PATH)
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
public class SetsAdmin {

    static final String PATH = "/admin/v1/calibration-sets";
    private static final String ZIP = "application/zip";

    private final CalibrationSets sets;
    private final Jobs jobs;
    private final SetsConfig config;
    private final BodyIntake bodies;
    private final RoutingContext routing;

    @Inject
    SetsAdmin(CalibrationSets sets, Jobs jobs, SetsConfig config, BodyIntake bodies, RoutingContext routing) {
        this.sets = sets;
        this.jobs = jobs;
        this.config = config;
        this.bodies = bodies;
        this.routing = routing;
    }

    @GET
    @Operation(operationId = "listCalibrationSets", summary = "All sets, by name")
    public Sets list() {
        return new Sets(
                "list",
                Stream.concat(
                                sets.list().stream().map(SetsAdmin::describe),
                                sets.folders().stream().map(SetsAdmin::unread))
                        .sorted(Comparator.comparing(Set::name))
                        .toList());
    }

    @GET
    @Path("/{name}")
    @Operation(operationId = "getCalibrationSet", summary = "One set")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = Set.class)))
    public Set get(@PathParam("name") String name) {
        return describe(sets.get(name));
    }

    @POST
    @Consumes(ZIP)
    @Operation(
            operationId = "addCalibrationSet",
            summary = "Upload a set as a zip archive, or name a folder below luq.sets.root",
            description =
                    "A folder directly in luq.sets.root that holds *.jsonl files is a set by its own name already."
                            + " An archive is named by the parameter name and holds *.jsonl files, a line an example: {\"image\":"
                            + " \"a.png\" | [\"a.png\", \"b.png\"] | null, \"question\": \"...\", \"answer\": \"...\","
                            + " \"category\": \"...\"}, beside the pictures (PNG, JPEG, WEBP). The files of a named folder stay"
                            + " where they are, and must stay as they are. The same set under the same name again changes nothing.")
    @RequestBody(
            required = true,
            content = {
                @Content(mediaType = ZIP, schema = @Schema(type = SchemaType.STRING, format = "binary")),
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = NamedFolder.class))
            })
    @APIResponse(
            responseCode = "201",
            description = "Checked and kept",
            content = @Content(schema = @Schema(implementation = Set.class)))
    public Uni<Response> upload(@QueryParam("name") String name) {
        CalibrationSets.Upload upload = sets.receive(AdminBody.required(name, "name"));
        Executor threads = Infrastructure.getDefaultWorkerPool();
        return bodies.toFile(routing, upload.archive(), upload.maxBytes(), config.uploadDeadline())
                .onFailure(IOException.class)
                .transform(upload::notSaved)
                .emitOn(threads)
                .map(arrived -> created(upload.accept()))
                .onItemOrFailure()
                .invoke((created, failure) -> upload.close())
                .onCancellation()
                .invoke(() -> threads.execute(upload::close));
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            hidden = true,
            operationId = "nameCalibrationSet") // described above: one path and method is one operation
    public Response name(InputStream body) throws IOException {
        NamedFolder folder = AdminBody.read(body, NamedFolder.class);
        AuditLog.object(routing, folder.name());
        return created(
                sets.name(AdminBody.required(folder.name(), "name"), AdminBody.required(folder.folder(), "folder")));
    }

    private static Response created(CalibrationSet set) {
        return Response.status(Response.Status.CREATED)
                .header("Location", PATH + "/" + set.name())
                .entity(describe(set))
                .build();
    }

    @DELETE
    @Path("/{name}")
    @Operation(
            operationId = "deleteCalibrationSet",
            summary = "Delete a set that no unfinished job uses",
            description = "A folder that was only named stays. One in luq.sets.root that was not named is not deleted.")
    @APIResponse(responseCode = "204", description = "Deleted")
    public void delete(@PathParam("name") String name) {
        String folder = sets.get(name).folder();
        for (Job job : jobs.unfinished()) {
            RequantizationSpec.Sets used =
                    RequantizationSpec.read(jobs.folder(job)).sets();
            if (used.calibration().equals(folder) || used.evaluation().equals(folder)) {
                throw new Refused(ApiError.of(409, "conflict", "The set is used by re-quantization " + job.id()));
            }
        }
        sets.delete(name);
    }

    private static Set describe(CalibrationSet set) {
        return new Set(
                set.name(),
                "calibration_set",
                set.uploaded() ? "uploaded" : "folder",
                set.created().getEpochSecond(),
                set.examples(),
                set.withImages(),
                set.categories(),
                set.digest());
    }

    private static Set unread(String folder) {
        return new Set(folder, "calibration_set", "folder", null, null, null, null, null);
    }

    /** An archive is larger than what fits into memory, and goes to the disk as it comes. */
    @Singleton
    static class ArchiveBody implements BodyIntake.OwnBody {

        @Override
        public boolean covers(String path, String contentType) {
            return contentType != null
                    && contentType.toLowerCase(Locale.ROOT).startsWith(ZIP)
                    && (path.equals(PATH) || path.equals(PATH + "/"));
        }
    }

    /** All sets. */
    @RegisterForReflection
    @Schema(name = "CalibrationSets")
    public record Sets(String object, List<Set> data) {}

    /** A set. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "CalibrationSet")
    public record Set(
            String name,
            String object,
            @Schema(enumeration = {"uploaded", "folder"}) String origin,
            @Schema(nullable = true, description = UNREAD) Long created,
            @Schema(nullable = true, description = UNREAD) Integer examples,
            @Schema(nullable = true, description = "Examples that show a picture. " + UNREAD) Integer withImages,
            @Schema(nullable = true, description = "Number of examples by category. " + UNREAD)
                    Map<String, Integer> categories,
            @Schema(nullable = true, description = "SHA-256 of the content. " + UNREAD) String digest) {

        private static final String UNREAD =
                "Null in the list for a folder of luq.sets.root that was not named: it is read"
                        + " when it is asked for.";
    }

    /** A folder to name. */
    @RegisterForReflection
    @Schema(name = "NamedFolder")
    public record NamedFolder(
            @Schema(required = true) String name,
            @Schema(required = true, description = "Relative to luq.sets.root") String folder) {}
}
