package dev.luq.openai;

import dev.luq.openai.intake.IntakeBudget;
import dev.luq.openai.errors.ApiException.RequestTooLarge;
import dev.luq.openai.errors.ErrorResponses;
import dev.luq.openai.errors.Errors;
import dev.luq.openai.errors.RequestId;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/** What every request meets before its resource, and what answers when no resource does. */
@Singleton
public final class HttpRoutes {

    // Filters run in descending order: those of access, authentication and authorization come between, the server's own
    // body limit after all of these.
    private static final int FIRST = 400;
    private static final int LAST = 50;
    private static final int AFTER_ALL_ROUTES = 30_000;

    private final long maxBodyBytes;
    private final Instance<BodyLimit> bodyLimits;

    @Inject
    public HttpRoutes(IntakeBudget budget, @Any Instance<BodyLimit> bodyLimits) {
        this.maxBodyBytes = budget.largestBody();
        this.bodyLimits = bodyLimits;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::identify, FIRST);
        filters.register(this::limitBody, LAST);
    }

    void fallbacks(@Observes Router router) {
        router.route().order(AFTER_ALL_ROUTES)
                .handler(routing -> ErrorResponses.send(routing, Errors.ofStatus(404)));
        router.route("/v1/*").order(AFTER_ALL_ROUTES).failureHandler(this::failed);
        router.route("/admin/*").order(AFTER_ALL_ROUTES).failureHandler(this::failed);
        router.route("/q/*").order(AFTER_ALL_ROUTES).failureHandler(this::failed);
    }

    private void identify(RoutingContext routing) {
        StreamFailures.contain(routing.request());
        RequestId.assign(routing);
        ClientPresence.watch(routing);
        routing.next();
    }

    private void limitBody(RoutingContext routing) {
        String length = routing.request().getHeader("Content-Length");
        long most = bodyLimits.stream().filter(limit -> limit.path().equals(routing.normalizedPath()))
                .mapToLong(BodyLimit::bytes).findFirst().orElse(maxBodyBytes);
        // What is longer than 18 digits is too large without looking further.
        if (length != null && (length.length() > 18 || Long.parseLong(length) > most)) {
            ErrorResponses.send(routing, new RequestTooLarge(most).error());
        } else {
            routing.next();
        }
    }

    private void failed(RoutingContext routing) {
        int status = routing.statusCode();
        ErrorResponses.send(routing, routing.failure() == null && status >= 400 && status < 500
                ? Errors.ofStatus(status)
                : Errors.describe(routing.failure(), RequestId.of(routing)));
    }
}
