package dev.luq.http.access;

import dev.luq.files.Sha256;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Who makes a request that is let in.
 *
 * @param name in the audit log: the key's, or {@code -} without keys
 * @param client what counts as one where the server's resources are shared: {@code key:NAME} or {@code address:ADDRESS}
 * @param key empty where there are no keys
 */
public record Caller(String name, Role role, String client, Optional<ApiKey> key) {

    static final String ATTRIBUTE = "luq.caller";
    private static final String NAMELESS = "-";

    static Caller withKey(ApiKey key) {
        return new Caller(key.name(), key.role(), "key:" + key.name(), Optional.of(key));
    }

    static Caller withoutKey(Role role, String address) {
        return new Caller(NAMELESS, role, "address:" + address, Optional.empty());
    }

    /** A digest of {@link #client}, for places where neither names nor addresses belong. */
    public String tag() {
        return tag(client);
    }

    static String tag(String text) {
        return HexFormat.of().formatHex(Sha256.bytes(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
    }

    /** The caller of a request that a resource answers. */
    public static Caller of(RoutingContext routing) {
        return find(routing).orElseThrow(() -> new IllegalStateException("The request has no caller"));
    }

    /** The same, or empty for a request that nobody needs to make. */
    public static Optional<Caller> find(RoutingContext routing) {
        return routing.user() instanceof QuarkusHttpUser user
                ? Optional.ofNullable(user.getSecurityIdentity().<Caller>getAttribute(ATTRIBUTE))
                : Optional.empty();
    }

    /** The {@link #client} of a request; the same for all that nobody needs to make. */
    public static String clientOf(RoutingContext routing) {
        return find(routing).map(Caller::client).orElse("");
    }
}
