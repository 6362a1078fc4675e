package dev.luq.http.access;

import dev.luq.http.ClientNetwork;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ErrorResponses;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.Set;

/**
 * Tells Quarkus who makes a request, as {@link AccessPolicy} decides. A caller that it refuses is anonymous to Quarkus:
 * it may have what needs no caller, and elsewhere gets the refusal.
 */
@Singleton
public final class KeyAuthentication implements HttpAuthenticationMechanism {

    private static final String REFUSAL = "luq.refusal";

    private final AccessPolicy policy;

    @Inject
    KeyAuthentication(AccessPolicy policy) {
        this.policy = policy;
    }

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext routing, IdentityProviderManager providers) {
        try {
            HttpServerRequest request = routing.request();
            Caller caller = policy.identify(host(request), request.headers(), address(request));
            return Uni.createFrom()
                    .item(QuarkusSecurityIdentity.builder()
                            .setPrincipal(new QuarkusPrincipal(caller.name()))
                            .addRoles(caller.role().included())
                            .addAttribute(Caller.ATTRIBUTE, caller)
                            .build());
        } catch (ApiException refused) {
            routing.put(REFUSAL, refused.error());
            return Uni.createFrom().nullItem();
        }
    }

    /** What the request calls this server, or null; HTTP/2 has a field of its own for it. */
    static String host(HttpServerRequest request) {
        String header = request.getHeader(HttpHeaderNames.HOST);
        return header == null && request.version() == HttpVersion.HTTP_2 && request.authority() != null
                ? request.authority().toString()
                : header;
    }

    private static String address(HttpServerRequest request) {
        SocketAddress remote = request.remoteAddress();
        return remote == null || remote.hostAddress() == null ? "unknown" : network(remote.hostAddress());
    }

    /** One client's {@link ClientNetwork} as text: an IPv4 address, or hexadecimal digits. */
    static String network(String address) {
        try {
            InetAddress parsed = InetAddress.getByName(address);
            return parsed instanceof Inet4Address ? address : HexFormat.of().formatHex(ClientNetwork.of(parsed));
        } catch (UnknownHostException e) {
            return address;
        }
    }

    @Override
    public Uni<Boolean> sendChallenge(RoutingContext routing) {
        ApiError error = refusal(routing);
        if (error.status() == 401) {
            routing.response().putHeader(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer");
        }
        ErrorResponses.send(routing, error);
        return Uni.createFrom().item(true);
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext routing) {
        return Uni.createFrom()
                .item(new ChallengeData(refusal(routing).status(), HttpHeaderNames.WWW_AUTHENTICATE, "Bearer"));
    }

    /** Why a request has no caller. */
    private static ApiError refusal(RoutingContext routing) {
        ApiError error = routing.get(REFUSAL);
        return error == null ? new ApiException.InvalidKey().error() : error;
    }

    @Override
    public Set<Class<? extends AuthenticationRequest>> getCredentialTypes() {
        return Set.of();
    }
}
