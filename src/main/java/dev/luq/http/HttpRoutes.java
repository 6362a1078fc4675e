package dev.luq.http;

import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ErrorForms;
import dev.luq.http.errors.ErrorResponses;
import dev.luq.http.errors.Errors;
import dev.luq.http.errors.RequestId;
import dev.luq.http.intake.IntakeBudget;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/** The first filter of every request, and the answers where no resource gives one. */
@Singleton
public final class HttpRoutes {

    // Filters run in descending order: those of access, authentication and authorization come later.
    private static final int FIRST = 400;
    private static final int AFTER_ALL_ROUTES = 30_000;

    private final ErrorForms errors;
    private final IntakeBudget budget;

    @Inject
    HttpRoutes(ErrorForms errors, IntakeBudget budget) {
        this.errors = errors;
        this.budget = budget;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::identify, FIRST);
    }

    void fallbacks(@Observes Router router) {
        router.route().order(AFTER_ALL_ROUTES).handler(routing -> ErrorResponses.send(routing, Errors.ofStatus(404)));
        router.route().order(AFTER_ALL_ROUTES).failureHandler(this::failed);
    }

    private void identify(RoutingContext routing) {
        StreamFailures.contain(routing.request());
        RequestId.assign(routing);
        errors.putOn(routing);
        ClientPresence.watch(routing);
        AnswerShare.begin(routing, budget);
        routing.next();
    }

    private void failed(RoutingContext routing) {
        int status = routing.statusCode();
        // The router's own refusals, such as of a Host that is none, have a status and a failure.
        ErrorResponses.send(
                routing,
                status >= 400 && status < 500 && !(routing.failure() instanceof ApiException)
                        ? Errors.ofStatus(status)
                        : Errors.describe(routing.failure(), RequestId.of(routing)));
    }
}
