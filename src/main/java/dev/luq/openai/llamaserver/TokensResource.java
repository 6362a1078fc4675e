package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.luq.http.ApiDescription;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.Queries;
import dev.luq.openai.generation.RawPrompts;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.ServerFrame;
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
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Texts as tokens and tokens as texts. */
@Path("/")
@RolesAllowed(Role.USER_NAME)
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
@Blocking
@APIResponse(responseCode = "4XX", ref = ApiDescription.REFUSED)
@APIResponse(responseCode = "5XX", ref = ApiDescription.UNAVAILABLE)
public final class TokensResource {

    /** Bytes of a text, and tokens, of one request. */
    private static final int MOST = 1 << 20;

    private final Queries queries;

    @Inject
    public TokensResource(Queries queries) {
        this.queries = queries;
    }

    @POST
    @Path("tokenize")
    @Operation(summary = "The tokens of a text")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = TokenizeRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The tokens",
            content = @Content(schema = @Schema(implementation = Tokens.class)))
    public Uni<Tokens> tokenize(InputStream body) throws IOException {
        return queries.ask(body, TokenizeRequest.class, (request, model, id, client) -> query(request, id, client))
                .map(found -> new Tokens(new TokenArray(found)));
    }

    private static ServerFrame.Tokenize query(TokenizeRequest request, String id, String client) {
        List<Piece> content = RawPrompts.pieces("content", request.content());
        if (content.stream().mapToLong(TokensResource::length).sum() > MOST) {
            throw new InvalidRequest("content", "content must have at most " + MOST + " bytes of text and tokens");
        }
        return new ServerFrame.Tokenize(
                id,
                new PromptInput.Raw(content, null),
                Check.flag(request.addSpecial(), false),
                Check.flag(request.parseSpecial(), true),
                Check.flag(request.withPieces(), false),
                client);
    }

    private static long length(Piece piece) {
        if (piece instanceof Piece.Text text) {
            return text.text().getBytes(StandardCharsets.UTF_8).length;
        }
        return piece instanceof Piece.Tokens tokens ? tokens.tokens().length : 0;
    }

    @POST
    @Path("detokenize")
    @Operation(summary = "The text of tokens")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = DetokenizeRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The text",
            content = @Content(schema = @Schema(implementation = Text.class)))
    public Uni<Text> detokenize(InputStream body) throws IOException {
        return queries.ask(body, DetokenizeRequest.class, (request, model, id, client) -> {
                    int[] tokens = RawPrompts.tokens("tokens", request.tokens());
                    if (tokens.length > MOST) {
                        throw new InvalidRequest("tokens", "tokens must have at most " + MOST + " tokens");
                    }
                    return new ServerFrame.Detokenize(id, tokens, client);
                })
                .map(found -> new Text(found.text()));
    }

    /**
     * The answer.
     *
     * @param tokens a {@link TokenArray}, as an object: the build would make a serializer of its own for that class
     */
    @RegisterForReflection
    @Schema(name = "Tokens")
    public record Tokens(
            @JsonProperty
                    @Schema(
                            implementation = Object[].class,
                            description = "Ids; with with_pieces objects with id and piece, a string or an array of"
                                    + " bytes")
                    Object tokens) {}

    @RegisterForReflection
    @Schema(name = "TokenText")
    public record Text(String content) {}
}
