package dev.luq.http.access;

import dev.luq.http.ApiConfig;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.HttpSecurityPolicy;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/**
 * Every request needs a caller, whatever answers it, but those for health, for the pages that a browser opens without
 * a key, and, where that is configured, for metrics. What Quarkus itself serves has no annotations: of that a user may
 * have the metrics and the API's description, and the rest is for administrators. Paths are those that the router goes
 * by; resources are protected by their annotations besides.
 */
@Singleton
public final class DenyByDefault implements HttpSecurityPolicy {

    private static final String FRAMEWORK = "/q";
    private static final String DESCRIPTION = "/q/openapi";
    private static final String DESCRIPTION_PAGE = "/q/swagger-ui";

    private final boolean openMetrics;

    @Inject
    DenyByDefault(ApiConfig config) {
        this.openMetrics = config.openMetrics();
    }

    @Override
    public Uni<CheckResult> checkPermission(
            RoutingContext routing, Uni<SecurityIdentity> identity, AuthorizationRequestContext context) {
        String path = routing.normalizedPath();
        if (isHealth(path) || isPage(path) || openMetrics && isMetrics(path)) {
            return CheckResult.permit();
        }
        String role = isAtOrBelow(path, FRAMEWORK) && !isMetrics(path) && !path.equals(DESCRIPTION)
                ? Role.ADMIN_NAME
                : Role.USER_NAME;
        return identity.map(caller -> caller.hasRole(role) ? CheckResult.PERMIT : CheckResult.DENY);
    }

    private static boolean isHealth(String path) {
        return path.equals("/health") || isAtOrBelow(path, "/q/health");
    }

    private static boolean isPage(String path) {
        return path.equals("/") || isAtOrBelow(path, DESCRIPTION_PAGE);
    }

    /** Whether metrics are at this path. */
    static boolean isMetrics(String path) {
        return path.equals("/metrics") || isAtOrBelow(path, "/q/metrics");
    }

    private static boolean isAtOrBelow(String path, String prefix) {
        return path.equals(prefix) || path.startsWith(prefix + "/");
    }
}
