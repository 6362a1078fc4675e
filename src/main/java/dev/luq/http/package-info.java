/**
 * What every request over HTTP meets before its resource: connections, access, its body, and the form of errors.
 *
 * <p>In this order: {@code connections} counts and closes connections; {@link dev.luq.http.HttpRoutes} gives the
 * request an id; {@code access} rewrites and refuses strange paths and pages of other sites, finds out who asks, and
 * what that caller may do; {@code intake} takes the body. {@code openai}, {@code admin} and {@code telemetry} have the
 * resources and share no more than this room. No thread is held by a request that waits for its client.
 */
@OpenAPIDefinition(
        info = @Info(title = "", version = "", license = @License(name = "Apache-2.0", identifier = "Apache-2.0")),
        security = @SecurityRequirement(name = "key"),
        components =
                @Components(
                        responses = {
                            @APIResponse(
                                    name = ApiDescription.REFUSED,
                                    description = "The request cannot be answered",
                                    content =
                                            @Content(
                                                    mediaType = MediaType.APPLICATION_JSON,
                                                    schema = @Schema(implementation = ApiError.Body.class))),
                            @APIResponse(
                                    name = ApiDescription.UNAVAILABLE,
                                    description = "The server cannot answer now",
                                    content =
                                            @Content(
                                                    mediaType = MediaType.APPLICATION_JSON,
                                                    schema = @Schema(implementation = ApiError.Body.class)))
                        },
                        securitySchemes =
                                @SecurityScheme(
                                        securitySchemeName = "key",
                                        type = SecuritySchemeType.HTTP,
                                        scheme = "bearer",
                                        description = "An API key. Where the server has none, nothing is needed.")))
package dev.luq.http;

import dev.luq.http.errors.ApiError;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Components;
import org.eclipse.microprofile.openapi.annotations.OpenAPIDefinition;
import org.eclipse.microprofile.openapi.annotations.enums.SecuritySchemeType;
import org.eclipse.microprofile.openapi.annotations.info.Info;
import org.eclipse.microprofile.openapi.annotations.info.License;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.security.SecurityScheme;
