package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import dev.luq.http.intake.IntakeBudget;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Fetches pictures from hosts that the operator allows. A name is resolved once for each request over HTTP, all its
 * addresses are judged, and the connection goes to an address that was judged; a redirect is a new URL with all that
 * this means. Of the client's request nothing is sent on. Bounded in bytes received, in time from the first look-up to
 * the last byte, and in how many are fetched at once. Blocks meanwhile. Thread-safe.
 */
@Singleton
final class ImageFetcher {

    /** Finds the addresses of a name. */
    interface Resolver {
        InetAddress[] resolve(String name) throws UnknownHostException;
    }

    private static final Set<String> SCHEMES = Set.of("http", "https");
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final int MOST_REDIRECTS = 5;
    private static final int LONGEST_URL = 8192;
    private static final int LONGEST_HEAD = 16_384;
    private static final int LONGEST_LINE = 8192;
    /** Of a name with several, so many are tried when the first do not answer. */
    private static final int MOST_ADDRESSES = 3;

    private static final long MOST_CONNECT_MILLIS = 4000;

    private final UrlHosts hosts;
    private final int maxBytes;
    private final Duration timeout;
    private final FetchPermits permits;
    private final Resolver resolver;
    private final ThreadPoolExecutor lookups;
    /** Null when no host is allowed. */
    private final HttpClient client;

    /** @throws IllegalArgumentException if what is configured as a host is none */
    @Inject
    ImageFetcher(ImagesConfig config, Vertx vertx) {
        this(config, vertx, InetAddress::getAllByName, new HttpClientOptions());
    }

    /** @param options of the client, to be completed */
    ImageFetcher(ImagesConfig config, Vertx vertx, Resolver resolver, HttpClientOptions options) {
        hosts = new UrlHosts(config.urlHosts().orElse(List.of()));
        maxBytes = config.urlMaxBytes();
        timeout = config.urlTimeout();
        int most = Math.max(1, config.concurrentFetches());
        permits = new FetchPermits(most);
        this.resolver = resolver;
        lookups = new ThreadPoolExecutor(0, most, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            Thread thread = new Thread(task, "luq-image-hosts");
            thread.setDaemon(true);
            return thread;
        });
        client = hosts.isEmpty()
                ? null
                : vertx.createHttpClient(options.setProtocolVersion(HttpVersion.HTTP_1_1)
                        .setKeepAlive(false)
                        .setDecompressionSupported(false)
                        .setMaxPoolSize(2 * most)
                        .setMaxHeaderSize(LONGEST_HEAD)
                        .setMaxInitialLineLength(LONGEST_LINE));
    }

    static boolean isRemote(String url) {
        return SCHEMES.stream().anyMatch(scheme -> url.regionMatches(true, 0, scheme + ":", 0, scheme.length() + 1));
    }

    /**
     * @param url of one of our schemes
     * @param param the field it came from, for the message
     * @param share grows by the bytes of the picture; as it was when there is none
     * @return the picture's file
     * @throws dev.luq.http.errors.ApiException if it may not or cannot be fetched, or there is no room for it; the
     *         message has nothing of what hosts answer and no address
     */
    byte[] fetch(String url, Asker asker, String param, IntakeBudget.Share share) {
        if (client == null) {
            throw refused(
                    param,
                    "http: and https: URLs are not enabled: send the image as data:image/png;base64,..., or have the"
                            + " operator name its host in luq.images.url-hosts");
        }
        URI first = allowed(url, param);
        try (FetchPermits.Permit permit = permits.take(asker, timeout)) {
            return new Fetch(param, share).follow(first);
        }
    }

    private URI allowed(String url, String param) {
        URI uri = url.length() > LONGEST_URL ? null : parsed(url);
        if (uri == null) {
            throw refused(
                    param,
                    "The URL is not valid: http or https, a host, no user or password, at most " + LONGEST_URL
                            + " characters, special ones as %XX");
        }
        if (!hosts.allow(uri)) {
            throw refused(
                    param,
                    "Images are not fetched from this host and port: send the image as data:image/png;base64,..., or"
                            + " have the operator name the host in luq.images.url-hosts");
        }
        return uri;
    }

    /** @return null if it is no URL of a host over HTTP */
    private static URI parsed(String url) {
        try {
            URI uri = new URI(new URI(url).toASCIIString());
            boolean sound = uri.getScheme() != null
                    && isRemote(url)
                    && UrlHosts.host(uri) != null
                    && uri.getRawUserInfo() == null
                    && UrlHosts.port(uri) > 0
                    && UrlHosts.port(uri) <= 65_535;
            return sound ? uri : null;
        } catch (URISyntaxException e) {
            return null;
        }
    }

    private static InvalidImage refused(String param, String message) {
        return new InvalidImage(Fault.INVALID_IMAGE_URL, param, message);
    }

    /** One picture on its way, through all redirects. */
    private final class Fetch {
        private final String param;
        private final IntakeBudget.Share share;
        private final long until = System.nanoTime() + timeout.toNanos();

        Fetch(String param, IntakeBudget.Share share) {
            this.param = param;
            this.share = share;
        }

        byte[] follow(URI first) {
            URI url = first;
            for (int redirects = 0; ; redirects++) {
                Download download = ask(url);
                if (!REDIRECTS.contains(download.status())) {
                    return download.bytes();
                }
                if (redirects == MOST_REDIRECTS) {
                    throw refused(param, "The image is behind more than " + MOST_REDIRECTS + " redirects");
                }
                url = redirect(url, download.location());
            }
        }

        private URI redirect(URI from, String location) {
            URI to = null;
            try {
                to = location == null ? null : from.resolve(new URI(location));
            } catch (URISyntaxException e) {
                // said below
            }
            if (to == null || parsed(to.toString()) == null || !hosts.allow(parsed(to.toString()))) {
                throw refused(param, "The image's host redirects to a URL that images are not fetched from");
            }
            return parsed(to.toString());
        }

        /** @return with its status, and with its bytes unless that is a redirect */
        private Download ask(URI url) {
            List<InetAddress> addresses = addresses(UrlHosts.unbracketed(UrlHosts.host(url)));
            for (int i = 0; ; i++) {
                Download download = new Download(share, maxBytes, param);
                client.request(options(url, addresses.get(i))).onComplete(download::connected);
                try {
                    inTime(download.done());
                    return download;
                } catch (ExecutionException e) {
                    download.abandon();
                    if (e.getCause() instanceof RuntimeException failure && download.isConnected()) {
                        throw failure;
                    }
                    if (i + 1 == addresses.size()) {
                        throw refused(param, "The image's host cannot be reached, or has no valid certificate");
                    }
                } catch (RuntimeException late) {
                    download.abandon();
                    throw late;
                }
            }
        }

        private RequestOptions options(URI url, InetAddress address) {
            String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            int port = UrlHosts.port(url);
            return new RequestOptions()
                    .setMethod(HttpMethod.GET)
                    .setSsl(url.getScheme().equalsIgnoreCase("https"))
                    .setHost(UrlHosts.host(url))
                    .setPort(port)
                    .setServer(SocketAddress.inetSocketAddress(new InetSocketAddress(address, port)))
                    .setURI(url.getRawQuery() == null ? path : path + "?" + url.getRawQuery())
                    .setFollowRedirects(false)
                    .setConnectTimeout(Math.max(1, Math.min(MOST_CONNECT_MILLIS, millisLeft())))
                    .putHeader(HttpHeaderNames.USER_AGENT, "luq-server")
                    .putHeader(HttpHeaderNames.ACCEPT, "image/*");
        }

        /** The addresses of a host, all of them allowed, without its name. */
        private List<InetAddress> addresses(String host) {
            InetAddress literal = Network.literal(host);
            InetAddress[] found = literal == null ? lookup(host) : new InetAddress[] {literal};
            for (InetAddress address : found) {
                if (!hosts.allow(address)) {
                    throw refused(
                            param,
                            "The image's host has an address that images are not fetched from. Have the"
                                    + " operator name the address in luq.images.url-hosts if it may be");
                }
            }
            return List.of(found).stream()
                    .limit(MOST_ADDRESSES)
                    .map(Fetch::nameless)
                    .toList();
        }

        /** So that nobody resolves the name again. */
        private static InetAddress nameless(InetAddress address) {
            try {
                return InetAddress.getByAddress(address.getAddress());
            } catch (UnknownHostException e) {
                throw new IllegalStateException("an address has the length of one", e);
            }
        }

        private InetAddress[] lookup(String host) {
            Callable<InetAddress[]> task = () -> resolver.resolve(host);
            try {
                InetAddress[] found = inTime(lookups.submit(task));
                if (found.length > 0) {
                    return found;
                }
            } catch (RejectedExecutionException e) {
                throw new Busy("The server is busy fetching other pictures");
            } catch (ExecutionException e) {
                // said below
            }
            throw refused(param, "The image's host is unknown");
        }

        private long millisLeft() {
            return TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        }

        /** @throws InvalidImage when it takes too long */
        private <T> T inTime(Future<T> work) throws ExecutionException {
            try {
                return work.get(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                throw refused(
                        param,
                        "The image did not come within " + timeout.toMillis() + " ms: send it as"
                                + " data:image/png;base64,...");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Busy("The server ends");
            }
        }
    }
}
