package dev.luq.http.access;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The web pages of other sites that may use this server from a browser (CORS). Their origin is named in every answer to
 * them, errors and streams included; other pages are told nothing. Immutable.
 */
final class TrustedOrigins {

    private static final Pattern ORIGIN =
            Pattern.compile("[a-z][a-z0-9+.-]*://[^/?#@\\s,*]+", Pattern.CASE_INSENSITIVE);
    private static final Pattern HEADER_NAMES = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}");
    // Spelt as in the standard: some clients know headers by that alone.
    private static final String ALLOW_ORIGIN = "Access-Control-Allow-Origin";
    private static final String ALLOW_METHODS = "Access-Control-Allow-Methods";
    private static final String ALLOW_HEADERS = "Access-Control-Allow-Headers";
    private static final String EXPOSE_HEADERS = "Access-Control-Expose-Headers";
    private static final String MAX_AGE = "Access-Control-Max-Age";
    private static final String EVERY_SITE = "*";
    private static final String METHODS = "GET, POST, PUT, DELETE";
    private static final String READABLE = "x-request-id, request-id, Retry-After, x-should-retry, Location";
    private static final String PREFLIGHT_SECONDS = "600";

    private final boolean every;
    private final Set<String> origins;

    /**
     * @param origins each {@code https://host} or {@code http://host:port}, or what an application or an extension of a
     *     browser says in its place, such as {@code app://obsidian.md}; or {@code *} alone for every site
     * @param keys whether callers need keys, without which no page may be trusted unseen
     * @throws IllegalArgumentException if one is none, or every site is to be trusted without keys
     */
    TrustedOrigins(List<String> origins, boolean keys) {
        this.every = origins.equals(List.of(EVERY_SITE));
        if (every && !keys) {
            throw new IllegalArgumentException(
                    "luq.api.cors-origins=* lets every page that a browser opens use the server:"
                            + " that needs API keys. Set luq.api.keys or luq.api.keys-file, or name the sites.");
        }
        for (String origin : origins) {
            if (!every && !ORIGIN.matcher(origin).matches()) {
                throw new IllegalArgumentException("luq.api.cors-origins must name each site as https://host or"
                        + " http://host:port, without a path, an application as app://name, or be * alone");
            }
        }
        this.origins =
                origins.stream().map(origin -> origin.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
    }

    boolean contains(String origin) {
        return origin != null && (every || origins.contains(origin.toLowerCase(Locale.ROOT)));
    }

    /**
     * Adds what a trusted page's browser wants to know to the answer, and answers a preflight.
     *
     * @return whether it was one: the request needs nothing more
     */
    boolean answer(RoutingContext routing) {
        if (origins.isEmpty()) {
            return false;
        }
        MultiMap asked = routing.request().headers();
        HttpServerResponse response = routing.response();
        response.putHeader(HttpHeaderNames.VARY, "Origin");
        String origin = asked.get(HttpHeaderNames.ORIGIN);
        if (!contains(origin)) {
            return false;
        }
        response.putHeader(ALLOW_ORIGIN, origin).putHeader(EXPOSE_HEADERS, READABLE);
        if (!routing.request().method().equals(HttpMethod.OPTIONS)
                || !asked.contains(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD)) {
            return false;
        }
        response.putHeader(ALLOW_METHODS, METHODS).putHeader(MAX_AGE, PREFLIGHT_SECONDS);
        String names = asked.get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
        if (names != null && HEADER_NAMES.matcher(names).matches()) {
            response.putHeader(ALLOW_HEADERS, names);
        }
        response.end();
        return true;
    }
}
