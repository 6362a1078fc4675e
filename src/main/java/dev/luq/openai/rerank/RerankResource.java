package dev.luq.openai.rerank;

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

/** Ranks documents by a query. */
@Path("/v1/rerank")
@RolesAllowed(Role.USER_NAME)
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class RerankResource {

    private final Queries queries;

    @Inject
    public RerankResource(Queries queries) {
        this.queries = queries;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Blocking
    @Operation(
            operationId = "rerank",
            summary = "Documents by their relevance to a query",
            description = "For models that have rerank among their capabilities. With texts in place of documents the"
                    + " answer has the form of Text Embeddings Inference: an array of index and score.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = RerankRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The documents, the most relevant one first",
            content = @Content(schema = @Schema(oneOf = {Ranking.class, Ranking.RankedText[].class})))
    public Uni<Response> rerank(InputStream body) throws IOException {
        return queries.embed(body, RerankRequest.class, RerankRequest::check).map(ranked -> Response.ok(
                        ranked.form().isOfTei() ? Ranking.texts(ranked) : Ranking.of(ranked),
                        MediaType.APPLICATION_JSON_TYPE)
                .build());
    }
}
