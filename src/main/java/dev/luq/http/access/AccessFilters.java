package dev.luq.http.access;

import dev.luq.http.ApiConfig;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ApiException.Forbidden;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.Refused;
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

    /**
     * The first of all: a request that is sent to another path begins anew, with neither headers nor handlers that
     * others have put on its response.
     */
    private static final int REWRITING = 1000;
    /** After requests get their ids, before Quarkus authenticates (200) and authorizes (100). */
    private static final int JUDGING = 350;

    private final TrustedOrigins trusted;
    private final boolean metrics;

    /** @throws IllegalArgumentException if what is configured as an origin is none */
    @Inject
    AccessFilters(ApiConfig config, KeyRing ring) {
        trusted = new TrustedOrigins(
                config.corsOrigins().orElse(List.of()), !ring.keys().isEmpty());
        metrics = config.metrics();
    }

    void filters(@Observes Filters filters) {
        filters.register(AccessFilters::rewrite, REWRITING);
        filters.register(this::judge, JUDGING);
    }

    /** Whatever follows sees the real path only. What is not plain is refused when it is judged. */
    private static void rewrite(RoutingContext routing) {
        String path = path(routing);
        String real = ApiPaths.real(path);
        if (real.equals(path) || !ApiPaths.isPlain(real)) {
            routing.next();
        } else {
            String query = routing.request().query();
            routing.reroute(query == null ? real : real + "?" + query);
        }
    }

    private static String path(RoutingContext routing) {
        return Objects.requireNonNullElse(routing.request().path(), "");
    }

    private void judge(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        if (!ApiPaths.isPlain(path(routing))) {
            refuse(
                    routing,
                    new InvalidRequest(
                            null,
                            "The path must be plain: no ;, \\, //, or . and .. as segments, and"
                                    + " none of these, %, or control characters written as %XX"));
        } else if (!metrics && DenyByDefault.isMetrics(path(routing))) {
            refuse(
                    routing,
                    new Refused(ApiError.of(
                            501,
                            "unsupported_operation",
                            "This server does not tell of its metrics: luq.api.metrics is false.")));
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
        } else {
            routing.next();
        }
    }

    private static void refuse(RoutingContext routing, ApiException refusal) {
        ErrorResponses.send(routing, refusal.error());
    }
}
