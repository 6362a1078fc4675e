package dev.luq.http.errors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Turns errors into responses, for JAX-RS and for what never reaches it. */
public final class ErrorResponses {

    private static final JsonMapper JSON = new JsonMapper();

    private ErrorResponses() {}

    /** The error as JSON text, in the form that most paths have. */
    public static String json(ApiError error) {
        return text(error.body());
    }

    private static String text(Object body) {
        try {
            return JSON.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an error body has only texts and numbers", e);
        }
    }

    /** Ends the response with this error. */
    public static void send(RoutingContext routing, ApiError error) {
        if (routing.response().ended()) {
            return;
        }
        routing.response().setStatusCode(error.status()).putHeader("Content-Type", MediaType.APPLICATION_JSON);
        error.headers().forEach(routing.response()::putHeader);
        routing.response().end(text(ErrorForms.body(routing, error)));
    }

    private static Response response(Throwable failure, RoutingContext routing) {
        ApiError error = Errors.describe(failure, RequestId.of(routing));
        Response.ResponseBuilder response = Response.status(error.status())
                .type(MediaType.APPLICATION_JSON_TYPE)
                .entity(text(ErrorForms.body(routing, error)));
        error.headers().forEach(response::header);
        return response.build();
    }

    /** Every failure of a resource, and unknown paths, methods and media types, which JAX-RS would answer without a body. */
    public static final class Mapper {
        @ServerExceptionMapper({
            Throwable.class,
            WebApplicationException.class,
            UnauthorizedException.class,
            ForbiddenException.class
        })
        public Response map(Throwable failure, RoutingContext routing) {
            return response(failure, routing);
        }
    }
}
