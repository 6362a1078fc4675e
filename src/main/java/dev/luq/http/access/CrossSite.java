package dev.luq.http.access;

import java.net.URI;
import java.util.Set;

/**
 * Recognizes requests that a page of another site makes a browser send (CSRF). Where no key is needed, or the browser
 * has it, such a page could change things or make the server compute without its reader's knowledge.
 */
final class CrossSite {

    private static final Set<String> HARMLESS_METHODS = Set.of("GET", "HEAD", "OPTIONS");
    private static final Set<String> OWN_SITES = Set.of("same-origin", "none");

    private CrossSite() {}

    /**
     * Programs that are no browser send neither header.
     *
     * @param host the request's Host header, or null
     * @param origin its Origin header, or null
     * @param fetchSite its Sec-Fetch-Site header, or null
     * @return whether the request would do something and comes from a page of another origin
     */
    static boolean acts(String method, String host, String origin, String fetchSite) {
        if (HARMLESS_METHODS.contains(method)) {
            return false;
        }
        if (fetchSite != null) {
            return !OWN_SITES.contains(fetchSite);
        }
        return origin != null && !authority(origin).equalsIgnoreCase(host);
    }

    private static String authority(String origin) {
        try {
            String authority = URI.create(origin).getAuthority();
            return authority == null ? "" : authority;
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}
