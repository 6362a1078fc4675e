package dev.luq.openai.images;

import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The hosts of {@code luq.images.url-hosts}, and the addresses that they may have. Immutable. */
final class UrlHosts {

    private static final Pattern HOST =
            Pattern.compile("(?:(https?)://)?(\\*\\.)?([^\\s/:*\\[\\]@?#]+|\\[[0-9a-f:.]+])(?::(\\d{1,5}))?");
    /** What {@link URI} takes for no host, though names inside of networks look so: with underscores, above all. */
    private static final Pattern OTHER_HOST = Pattern.compile("([A-Za-z0-9._-]+)(?::(\\d{1,5}))?");

    private static final String DEFAULT_SCHEME = "https";
    private static final int LARGEST_PORT = 65_535;

    /** @param suffix whether names that end with a dot and {@link #host} are meant */
    private record Entry(String scheme, String host, boolean suffix, int port) {
        boolean allows(String otherScheme, String otherHost, int otherPort) {
            return scheme.equals(otherScheme)
                    && port == otherPort
                    && (suffix ? otherHost.endsWith("." + host) : otherHost.equals(host));
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final List<Network> named = new ArrayList<>();

    /** @throws IllegalArgumentException naming what is wrong */
    UrlHosts(List<String> texts) {
        for (String text : texts) {
            String lower = text.strip().toLowerCase(Locale.ROOT);
            Matcher host = HOST.matcher(lower);
            if (host.matches()) {
                add(text, host);
            } else {
                try {
                    named.add(Network.of(lower));
                } catch (IllegalArgumentException e) {
                    throw wrong(text);
                }
            }
        }
    }

    private void add(String text, Matcher matched) {
        String scheme = Optional.ofNullable(matched.group(1)).orElse(DEFAULT_SCHEME);
        boolean suffix = matched.group(2) != null;
        String host = matched.group(3);
        int port = matched.group(4) == null ? defaultPort(scheme) : Integer.parseInt(matched.group(4));
        InetAddress address = Network.literal(unbracketed(host));
        if (port < 1 || port > LARGEST_PORT || suffix && address != null || host.startsWith("[") && address == null) {
            throw wrong(text);
        }
        entries.add(new Entry(scheme, host, suffix, port));
        if (address != null) {
            named.add(Network.of(unbracketed(host)));
        }
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException("luq.images.url-hosts has " + text + ", which is none of these: HOST,"
                + " https://HOST, http://HOST:PORT with HOST a name, *.NAME, an address or [an IPv6 address];"
                + " or a network as 10.0.0.0/8");
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Whether pictures may be fetched from this URL, whatever its host's address is. */
    boolean allow(URI url) {
        String scheme = url.getScheme().toLowerCase(Locale.ROOT);
        String host = host(url).toLowerCase(Locale.ROOT);
        int port = port(url);
        return entries.stream().anyMatch(entry -> entry.allows(scheme, host, port));
    }

    /** Whether a host that is allowed may have this address. */
    boolean allow(InetAddress address) {
        return PublicAddresses.contain(address) || named.stream().anyMatch(network -> network.contains(address));
    }

    /** A URL's host; null if it has none. */
    static String host(URI url) {
        return url.getHost() != null
                ? url.getHost()
                : other(url).map(matched -> matched.group(1)).orElse(null);
    }

    /** The port of a URL of one of our schemes that has a host, named or not. */
    static int port(URI url) {
        int named = url.getHost() != null
                ? url.getPort()
                : other(url)
                        .map(matched -> matched.group(2))
                        .map(Integer::parseInt)
                        .orElse(-1);
        return named < 0 ? defaultPort(url.getScheme().toLowerCase(Locale.ROOT)) : named;
    }

    private static Optional<Matcher> other(URI url) {
        return Optional.ofNullable(url.getRawAuthority())
                .map(OTHER_HOST::matcher)
                .filter(Matcher::matches);
    }

    private static int defaultPort(String scheme) {
        return scheme.equals(DEFAULT_SCHEME) ? 443 : 80;
    }

    /** A URL's host, without the brackets of an IPv6 address. */
    static String unbracketed(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
