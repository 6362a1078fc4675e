package dev.luq.http.access;

import dev.luq.http.ApiConfig;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ApiException.Forbidden;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ErrorResponses;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Objects;

/** Filters that every request passes before its caller is identified and before a router reads its path. */
@Singleton
public final class AccessFilters {

    /** After requests get their ids, before Quarkus authenticates (200) and authorizes (100). */
    private static final int PRIORITY = 350;

    private final TrustedOrigins trusted;

    /** @throws IllegalArgumentException if what is configured as an origin is none */
    @Inject
    AccessFilters(ApiConfig config, KeyRing ring) {
        trusted = new TrustedOrigins(
                config.corsOrigins().orElse(List.of()), !ring.keys().isEmpty());
    }

    void filters(@Observes Filters filters) {
        filters.register(this::filter, PRIORITY);
    }

    private void filter(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        String path = Objects.requireNonNullElse(request.path(), "");
        String real = ApiPaths.real(path);
        if (!ApiPaths.isPlain(real)) {
            refuse(
                    routing,
                    new InvalidRequest(
                            null,
                            "The path must be plain: no ;, \\, //, or . and .. as segments, and"
                                    + " none of these, %, or control characters written as %XX"));
        } else if (trusted.answer(routing)) {
            return;
        } else if (!trusted.contains(request.getHeader(HttpHeaderNames.ORIGIN))
                && CrossSite.acts(
                        request.method().name(),
                        KeyAuthentication.host(request),
                        request.getHeader(HttpHeaderNames.ORIGIN),
                        request.getHeader("Sec-Fetch-Site"))) {
            refuse(
                    routing,
                    new Forbidden("Pages of other sites may not use this server unless luq.api.cors-origins names"
                            + " them"));
        } else if (!real.equals(path)) {
            routing.reroute(real);
        } else {
            routing.next();
        }
    }

    private static void refuse(RoutingContext routing, ApiException refusal) {
        ErrorResponses.send(routing, refusal.error());
    }
}
