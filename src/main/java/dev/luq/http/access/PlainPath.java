package dev.luq.http.access;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * Paths that everybody reads alike: filters, routers and resources, and proxies in front. The others hide separators,
 * dots or parameters within segments, and no path of this server needs any of that.
 */
final class PlainPath {

    private static final Pattern REFUSED = Pattern.compile("//|[;\\\\]|(^|/)\\.{1,2}(/|$)|[^\\x21-\\x7e]");
    /** What is not to be written as %XX: separators, dots, the percent sign itself. */
    private static final Set<Character> PLAIN = Set.of('/', '\\', ';', '.', '%', '?', '#');

    private PlainPath() {}

    /** @param path as it was sent, without the query */
    static boolean is(String path) {
        if (path == null || !path.startsWith("/") || REFUSED.matcher(path).find()) {
            return false;
        }
        for (int at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
            int high = at + 2 < path.length() ? Character.digit(path.charAt(at + 1), 16) : -1;
            int low = at + 2 < path.length() ? Character.digit(path.charAt(at + 2), 16) : -1;
            char decoded = (char) (high * 16 + low);
            if (high < 0 || low < 0 || decoded < ' ' || decoded == 0x7f || PLAIN.contains(decoded)) {
                return false;
            }
        }
        return true;
    }
}
