package dev.luq.http.intake;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Provider;
import jakarta.ws.rs.container.ContainerRequestContext;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Receives a request's body before its resource is called: after it is known which one that is and who may call it, so that
 * no body is read in vain, and before a thread is taken.
 */
public final class BodyStreams {

    private final Provider<BodyIntake> intake;

    /** @param intake not there yet when filters are made */
    @Inject
    BodyStreams(Provider<BodyIntake> intake) {
        this.intake = intake;
    }

    @ServerRequestFilter(nonBlocking = true)
    public Uni<Void> receive(ContainerRequestContext request, RoutingContext routing) {
        return intake.get()
                .receive(routing)
                .invoke(body -> request.setEntityStream(body.stream()))
                .replaceWithVoid();
    }
}
