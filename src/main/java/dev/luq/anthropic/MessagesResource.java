package dev.luq.anthropic;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.http.access.Role;
import dev.luq.http.errors.RequestId;
import dev.luq.openai.generation.Generations;
import dev.luq.openai.generation.Queries;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
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

/** Answers conversations with text and images as Anthropic's API does. */
@Path("/v1/messages")
@RolesAllowed(Role.USER_NAME)
@APIResponse(
        responseCode = "4XX",
        description = "The request cannot be answered",
        content =
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = MessagesError.class)))
@APIResponse(
        responseCode = "5XX",
        description = "The server cannot answer now",
        content =
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = MessagesError.class)))
public final class MessagesResource {

    private final Generations generations;
    private final Queries queries;
    private final RoutingContext routing;

    @Inject
    public MessagesResource(Generations generations, Queries queries, RoutingContext routing) {
        this.generations = generations;
        this.queries = queries;
        this.routing = routing;
    }

    /** Creates a message. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "createMessage",
            summary = "Answer a conversation of the Messages API",
            description = "With stream: true the answer comes as server-sent events.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = MessagesRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Message.class)),
                @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = String.class))
            })
    public Uni<Response> create(InputStream body) throws IOException {
        String requestId = RequestId.of(routing);
        return generations.answer(
                body, MessagesRequest.class, request -> MessagesExchange.answering(request, requestId));
    }

    /** Counts the tokens of a request's prompt. */
    @POST
    @Path("/count_tokens")
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "countMessageTokens",
            summary = "How many tokens a request to the Messages API has, pictures and tools included")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = MessagesRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The number of tokens",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = TokenCount.class)))
    public Uni<TokenCount> countTokens(InputStream body) throws IOException {
        String requestId = RequestId.of(routing);
        return queries.count(body, MessagesRequest.class, request -> MessagesExchange.counting(request, requestId))
                .map(count -> new TokenCount(count.tokens()));
    }

    /** @param inputTokens of the whole prompt, whatever of it is cached */
    @RegisterForReflection
    @Schema(name = "MessagesTokenCount")
    record TokenCount(@JsonProperty("input_tokens") int inputTokens) {}
}
