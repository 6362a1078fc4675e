package dev.luq.http.access;

import dev.luq.http.ApiConfig;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ApiException.Forbidden;
import dev.luq.http.errors.ApiException.InvalidKey;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.MultiMap;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Who a caller is. What a role may do is said where it is done: by annotations of the resources, and by
 * {@link DenyByDefault} for what is no resource. Thread-safe.
 *
 * <ul>
 * <li>With keys: whoever a key says, as long as it has not expired.
 * <li>Without keys, bound to loopback: every program of this machine is an administrator. Requests must name the machine
 * as loopback too, else any web page could reach the API through a host name of its own that resolves to 127.0.0.1, and
 * no proxy may say that it asks for others.
 * <li>Without keys, everybody else: only where anonymous use is switched on by name, and never an administrator.
 * </ul>
 */
@Singleton
public final class AccessPolicy {

    private static final List<String> FORWARDED =
            List.of("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP");

    private final Supplier<ApiKeys> keys;
    private final boolean loopback;
    private final boolean anonymous;

    @Inject
    AccessPolicy(KeyRing ring, ApiConfig config, @ConfigProperty(name = "quarkus.http.host") String host) {
        this(ring::keys, host, config.anonymous());
    }

    /**
     * @param host address or name that the server binds to
     * @throws IllegalStateException if strangers could reach a server without keys and that was not asked for
     */
    AccessPolicy(Supplier<ApiKeys> keys, String host, boolean anonymous) {
        this.keys = keys;
        this.loopback = isLoopback(host);
        this.anonymous = anonymous;
        if (keys.get().isEmpty() && !loopback && !anonymous) {
            throw new IllegalStateException("The server is to listen on " + host + ", which other machines reach, but"
                    + " no API keys are configured. Set luq.api.keys or luq.api.keys-file, or listen on 127.0.0.1"
                    + " (quarkus.http.host), or allow everybody with luq.api.anonymous=true.");
        }
    }

    /** Makes this bean, and with it the check of the keys, part of the start. */
    void start(@Observes StartupEvent event) {}

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * @param host what the request calls this server, or null
     * @param headers the request's, of which those that have keys are read
     * @param address that the request comes from
     * @throws ApiException if the caller may do nothing
     */
    public Caller identify(String host, MultiMap headers, String address) {
        ApiKeys now = keys.get();
        if (!now.isEmpty()) {
            return Caller.withKey(key(now, headers));
        }
        boolean ofThisMachine = loopback && (host == null || namesLoopback(host)) && !isForwarded(headers);
        if (!ofThisMachine && !anonymous) {
            throw new Forbidden("Without API keys only programs of this machine are served,"
                    + " as http://localhost or http://127.0.0.1 and through no proxy");
        }
        return Caller.withoutKey(ofThisMachine ? Role.ADMIN : Role.USER, address);
    }

    private static ApiKey key(ApiKeys keys, MultiMap headers) {
        String presented = PresentedKey.in(headers).orElseThrow(InvalidKey::new);
        ApiKey key = keys.find(presented).orElseThrow(() -> new InvalidKey("The API key is not valid"));
        if (key.isExpired(Instant.now())) {
            throw new InvalidKey("The API key has expired");
        }
        return key;
    }

    /** Whether a proxy says that it asks for somebody else. */
    private static boolean isForwarded(MultiMap headers) {
        return FORWARDED.stream().anyMatch(headers::contains);
    }

    private static boolean namesLoopback(String host) {
        String name = host.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.endsWith(".localhost")
                || name.equals("[::1]")
                || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }
}
