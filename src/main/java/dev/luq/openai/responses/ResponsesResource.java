package dev.luq.openai.responses;

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

/** Answers conversations in the form of OpenAI's Responses, and keeps none of them. */
@Path("/v1/responses")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class ResponsesResource {

    private final Generations generations;
    private final Queries queries;

    @Inject
    public ResponsesResource(Generations generations, Queries queries) {
        this.generations = generations;
        this.queries = queries;
    }

    /** Creates a response. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "createResponse",
            summary = "Answer a conversation, as OpenAI's Responses do",
            description =
                    "With stream: true the answer comes as server-sent events. Nothing is kept: input has the whole"
                            + " conversation.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ResponseRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The response",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = ResponseObject.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    public Uni<Response> create(InputStream body) throws IOException {
        return generations.answer(body, ResponseRequest.class, ResponseExchange::new);
    }

    /** Counts the tokens of a request that is not answered. */
    @POST
    @Path("/input_tokens")
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(operationId = "countResponseInput", summary = "How many tokens the input of a response has")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = ResponseRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The count",
            content = @Content(schema = @Schema(implementation = InputTokens.class)))
    public Uni<InputTokens> count(InputStream body) throws IOException {
        return queries.count(body, ResponseRequest.class, ResponseExchange::new).map(InputTokens::of);
    }
}
