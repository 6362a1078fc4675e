package dev.luq.openai;

import dev.luq.openai.access.AccessPolicy;
import dev.luq.openai.access.ApiKeys;
import dev.luq.openai.access.CrossSite;
import dev.luq.openai.errors.ApiException;
import dev.luq.openai.errors.ApiException.Forbidden;
import dev.luq.openai.errors.ErrorResponses;
import dev.luq.openai.errors.Errors;
import dev.luq.openai.errors.RequestId;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** What every request meets before its resource, and what answers when no resource does. */
@Singleton
public final class HttpRoutes {

    // Filters run in descending order.
    private static final int FIRST = 400;
    private static final int SECOND = 300;
    private static final int AFTER_ALL_ROUTES = 30_000;

    private final AccessPolicy access;

    @Inject
    public HttpRoutes(ApiConfig config, @ConfigProperty(name = "quarkus.http.host") String host) {
        this.access = new AccessPolicy(keys(config), host, config.anonymous(), config.openMetrics());
    }

    /** Makes this bean, and with it the check of the keys, part of the start. */
    void start(@Observes StartupEvent event) {
    }

    void filters(@Observes Filters filters) {
        filters.register(this::identify, FIRST);
        filters.register(this::authorize, SECOND);
    }

    void fallbacks(@Observes Router router) {
        router.route().order(AFTER_ALL_ROUTES)
                .handler(routing -> ErrorResponses.send(routing, Errors.ofStatus(404)));
        router.route().order(AFTER_ALL_ROUTES).failureHandler(this::failed);
    }

    private void identify(RoutingContext routing) {
        StreamFailures.contain(routing.request());
        RequestId.assign(routing);
        ClientPresence.watch(routing);
        routing.next();
    }

    private void authorize(RoutingContext routing) {
        Optional<ApiException> refusal = access.refusal(routing.normalizedPath(),
                routing.request().getHeader("Host"), routing.request().getHeader("Authorization"));
        if (refusal.isPresent()) {
            ErrorResponses.send(routing, refusal.get().error());
        } else if (CrossSite.changes(routing.request().method().name(), routing.request().getHeader("Host"),
                routing.request().getHeader("Origin"), routing.request().getHeader("Sec-Fetch-Site"))
                && routing.normalizedPath().startsWith("/admin/")) {
            ErrorResponses.send(routing, new Forbidden("Pages of other sites may not administer this server").error());
        } else {
            routing.next();
        }
    }

    private void failed(RoutingContext routing) {
        int status = routing.statusCode();
        // The router's own refusals, such as of a Host that is none, have a status and a failure.
        ErrorResponses.send(routing, status >= 400 && status < 500 && !(routing.failure() instanceof ApiException)
                ? Errors.ofStatus(status)
                : Errors.describe(routing.failure(), RequestId.of(routing)));
    }

    private static ApiKeys keys(ApiConfig config) {
        List<String> lines = new ArrayList<>(config.keys().orElse(List.of()));
        config.keysFile().ifPresent(file -> lines.addAll(read(file)));
        ApiKeys keys = ApiKeys.parse(lines);
        if (keys.isEmpty() && config.keysFile().isPresent()) {
            throw new IllegalStateException("The file of luq.api.keys-file has no key in it");
        }
        return keys;
    }

    private static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new IllegalStateException("The file of luq.api.keys-file cannot be read: " + file, e);
        }
    }
}
