package dev.luq.openai.chat;

import dev.luq.http.ApiDescription;
import dev.luq.http.access.Role;
import dev.luq.openai.generation.Generations;
import dev.luq.openai.generation.InputTokens;
import dev.luq.openai.generation.Queries;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Answers conversations with text and images. */
@Path("/v1/chat/completions")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class ChatResource {

    private final Generations generations;
    private final Queries queries;

    @Inject
    public ChatResource(Generations generations, Queries queries) {
        this.generations = generations;
        this.queries = queries;
    }

    /** Creates a completion. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            summary = "Answer a conversation",
            description = "With stream: true the answer comes as server-sent events.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ChatRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = ChatCompletion.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    public Uni<Response> create(InputStream body) throws IOException {
        return generations.answer(body, ChatRequest.class, ChatExchange::new);
    }

    /** Counts the tokens of a request that is not answered. */
    @POST
    @Path("/input_tokens")
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            summary = "How many tokens a conversation has",
            description = "With its images, as a completion would count them; more than the context holds, too.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = ChatRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The count",
            content = @Content(schema = @Schema(implementation = InputTokens.class)))
    public Uni<InputTokens> count(InputStream body) throws IOException {
        return queries.count(body, ChatRequest.class, ChatExchange::new).map(InputTokens::of);
    }
}
