package dev.luq.admin;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.VariantStore;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** The results of re-quantizations in the store. */
@Path("/admin/v1/variants")
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
public class VariantsAdmin {

    private final VariantStore variants;
    private final Catalog catalog;

    @Inject
    VariantsAdmin(VariantStore variants, Catalog catalog) {
        this.variants = variants;
        this.catalog = catalog;
    }

    @GET
    @Operation(operationId = "listVariants", summary = "All variants whose files are whole")
    public Variants list() {
        return new Variants(
                "list",
                variants.all().stream().map(AdminModel.ActiveVariant::of).toList());
    }

    @GET
    @Path("/{id}")
    @Operation(operationId = "getVariant", summary = "One variant")
    @APIResponse(
            responseCode = "200",
            content = @Content(schema = @Schema(implementation = AdminModel.ActiveVariant.class)))
    public AdminModel.ActiveVariant get(@PathParam("id") String id) {
        return AdminModel.ActiveVariant.of(variants.find(id));
    }

    @DELETE
    @Path("/{id}")
    @Operation(
            operationId = "deleteVariant",
            summary = "Delete a variant that is not active",
            description = "Files that other variants share stay.")
    @APIResponse(responseCode = "204", description = "Deleted")
    public void delete(@PathParam("id") String id) {
        catalog.deleteVariant(id);
    }

    /** All variants. */
    @RegisterForReflection
    @Schema(name = "Variants")
    public record Variants(String object, List<AdminModel.ActiveVariant> data) {}
}
