package dev.luq.http;

import dev.luq.http.access.Role;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** The description of the API that the build generates from the resources. */
@Path("/q/openapi")
@RolesAllowed(Role.USER_NAME)
public final class OpenApiResource {

    static final String YAML = "application/yaml";

    private static final MediaType YAML_TYPE = MediaType.valueOf(YAML);

    @GET
    @Operation(hidden = true)
    public Response get(@QueryParam("format") String format, @Context HttpHeaders headers) {
        boolean json = "json".equalsIgnoreCase(format)
                || format == null && Accepted.prefers(headers, MediaType.APPLICATION_JSON_TYPE, YAML_TYPE);
        return Response.ok(
                        json ? ApiDescription.json() : ApiDescription.yaml(),
                        json ? MediaType.APPLICATION_JSON_TYPE : YAML_TYPE)
                .header("Vary", "Accept")
                .build();
    }
}
