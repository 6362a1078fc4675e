package dev.luq.openai.completions;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.ApiDescription;
import dev.luq.http.access.Role;
import dev.luq.openai.generation.Generations;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Continues prompts without a chat template. */
@Path("/v1/completions")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class CompletionsResource {

    private final Generations generations;

    @Inject
    public CompletionsResource(Generations generations) {
        this.generations = generations;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "createCompletion",
            summary = "Continue a prompt",
            description = "Without a chat template. With stream: true the answer comes as server-sent events.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = CompletionRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Completion.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    public Uni<Response> create(InputStream body) throws IOException {
        return generations.answer(body, ObjectNode.class, CompletionExchange::new);
    }
}
