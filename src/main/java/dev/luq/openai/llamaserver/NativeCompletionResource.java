package dev.luq.openai.llamaserver;

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

/** Continues prompts in llama-server's own form, under both of its names. */
@Path("/")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class NativeCompletionResource {

    private final Generations generations;

    @Inject
    public NativeCompletionResource(Generations generations) {
        this.generations = generations;
    }

    @POST
    @Path("completion")
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "createNativeCompletion",
            summary = "Continue a prompt, in llama-server's form",
            description = "With stream: true the answer comes as server-sent events. id_slot is accepted: the slot is"
                    + " chosen by what it has cached.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = NativeRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer; an array for several prompts",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = NativeCompletion.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    public Uni<Response> create(InputStream body) throws IOException {
        return generations.answer(body, ObjectNode.class, NativeExchange::new);
    }

    @POST
    @Path("completions")
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(operationId = "createNativeCompletions", summary = "The same as /completion")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = NativeRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer; an array for several prompts",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = NativeCompletion.class)))
    public Uni<Response> createByItsOtherName(InputStream body) throws IOException {
        return create(body);
    }
}
