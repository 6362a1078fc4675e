package dev.luq.openai.llamaserver;

import dev.luq.http.ApiDescription;
import dev.luq.http.access.Role;
import dev.luq.openai.chat.ChatExchange;
import dev.luq.openai.chat.ChatRequest;
import dev.luq.openai.generation.Queries;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** What the model's chat template makes of a conversation. */
@Path("/apply-template")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class TemplateResource {

    private final Queries queries;

    @Inject
    public TemplateResource(Queries queries) {
        this.queries = queries;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            summary = "A conversation as the model's prompt",
            description = "Takes a chat request. The place of an image is <__media__>.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = ChatRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The prompt",
            content = @Content(schema = @Schema(implementation = RenderedPrompt.class)))
    public Uni<RenderedPrompt> apply(InputStream body) throws IOException {
        return queries.render(body, ChatRequest.class, ChatExchange::new)
                .map(rendered -> new RenderedPrompt(rendered.text()));
    }

    @RegisterForReflection
    @Schema(name = "RenderedPrompt")
    public record RenderedPrompt(String prompt) {}
}
