package dev.luq.anthropic;

import dev.luq.http.errors.RequestId;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/** Tells Anthropic's clients the id of their request in the header where they look for it. */
@Singleton
final class RequestIdHeader {

    /** After requests get their ids (400), before anything refuses them (350). */
    private static final int PRIORITY = 390;

    private final MessagesErrors paths;

    @Inject
    RequestIdHeader(MessagesErrors paths) {
        this.paths = paths;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::filter, PRIORITY);
    }

    private void filter(RoutingContext routing) {
        String path = routing.request().path();
        if (path != null && paths.covers(path) || routing.request().headers().contains("anthropic-version")) {
            routing.response().putHeader("request-id", RequestId.of(routing));
        }
        routing.next();
    }
}
