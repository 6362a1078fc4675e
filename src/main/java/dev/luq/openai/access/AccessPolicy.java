package dev.luq.openai.access;

import dev.luq.openai.errors.ApiException;
import dev.luq.openai.errors.ApiException.Forbidden;
import dev.luq.openai.errors.ApiException.InvalidKey;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;

/**
 * Who may call which path. Immutable.
 *
 * <ul>
 * <li>Health is open to everybody.
 * <li>With keys: everything else needs one, metrics only unless they are opened, /admin one of role admin.
 * <li>Without keys, bound to loopback: everything is open to programs of this machine. Requests must name the machine
 * as loopback too, else any web page could reach the API through a host name of its own that resolves to 127.0.0.1.
 * <li>Without keys, bound to anything else: only where anonymous use is switched on by name, and never /admin.
 * </ul>
 */
public final class AccessPolicy {

    private final ApiKeys keys;
    private final boolean loopback;
    private final boolean anonymous;
    private final boolean openMetrics;

    /**
     * @param host address or name that the server binds to
     * @throws IllegalStateException if strangers could reach a server without keys and that was not asked for
     */
    public AccessPolicy(ApiKeys keys, String host, boolean anonymous, boolean openMetrics) {
        this.keys = keys;
        this.loopback = isLoopback(host);
        this.anonymous = anonymous;
        this.openMetrics = openMetrics;
        if (keys.isEmpty() && !loopback && !anonymous) {
            throw new IllegalStateException("The server is to listen on " + host + ", which other machines reach, but"
                    + " no API keys are configured. Set luq.api.keys or luq.api.keys-file, or listen on 127.0.0.1"
                    + " (quarkus.http.host), or allow everybody with luq.api.anonymous=true.");
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * @param path normalised path of the request
     * @param hostHeader the request's Host header, or null
     * @param authorization the request's Authorization header, or null
     * @return why the request is refused; empty when it may pass
     */
    public Optional<ApiException> refusal(String path, String hostHeader, String authorization) {
        if (isBelow(path, "/health") || isBelow(path, "/q/health")) {
            return Optional.empty();
        }
        return keys.isEmpty() ? withoutKeys(path, hostHeader) : withKeys(path, authorization);
    }

    private Optional<ApiException> withoutKeys(String path, String hostHeader) {
        if (loopback && !anonymous && hostHeader != null && !namesLoopback(hostHeader)) {
            return Optional.of(new Forbidden("Without API keys only programs of this machine are served,"
                    + " as http://localhost or http://127.0.0.1"));
        }
        if (!loopback && isBelow(path, "/admin")) {
            return Optional.of(new Forbidden("Administration needs an API key of role admin; none is configured"));
        }
        return Optional.empty();
    }

    private Optional<ApiException> withKeys(String path, String authorization) {
        if (openMetrics && (isBelow(path, "/metrics") || isBelow(path, "/q/metrics"))) {
            return Optional.empty();
        }
        Optional<Role> role = bearer(authorization).flatMap(keys::role);
        if (role.isEmpty()) {
            return Optional.of(new InvalidKey(authorization == null
                    ? "An API key is needed: send the header Authorization: Bearer <key>"
                    : "The API key is not valid"));
        }
        if (isBelow(path, "/admin") && role.get() != Role.ADMIN) {
            return Optional.of(new Forbidden("This needs an API key of role admin"));
        }
        return Optional.empty();
    }

    private static Optional<String> bearer(String authorization) {
        String scheme = "Bearer ";
        return authorization != null && authorization.regionMatches(true, 0, scheme, 0, scheme.length())
                ? Optional.of(authorization.substring(scheme.length()).strip())
                : Optional.empty();
    }

    private static boolean namesLoopback(String hostHeader) {
        String name = hostHeader.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
        return name.equals("localhost") || name.endsWith(".localhost") || name.equals("[::1]")
                || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    private static boolean isBelow(String path, String prefix) {
        return path.equals(prefix) || path.startsWith(prefix + "/");
    }
}
