package dev.luq.openai.embeddings;

import dev.luq.http.ApiDescription;
import dev.luq.http.access.Role;
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

/** Embeds texts and images. */
@Path("/v1/embeddings")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class EmbeddingsResource {

    private final Queries queries;

    @Inject
    public EmbeddingsResource(Queries queries) {
        this.queries = queries;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "createEmbedding",
            summary = "The embeddings of texts and images",
            description = "For models that have embeddings among their capabilities. With content in place of input the"
                    + " answer has llama-server's form: an array of index and embedding.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = EmbeddingRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The embeddings, in the order of the inputs",
            content = @Content(schema = @Schema(oneOf = {EmbeddingList.class, NativeEmbedding[].class})))
    public Uni<Response> create(InputStream body) throws IOException {
        return queries.embed(body, EmbeddingRequest.class, EmbeddingRequest::check)
                .map(embedded -> Response.ok(
                                embedded.form().isOfLlamaServer()
                                        ? NativeEmbedding.of(embedded)
                                        : EmbeddingList.of(embedded),
                                MediaType.APPLICATION_JSON_TYPE)
                        .build());
    }
}
