package dev.luq.http.connections;

import io.netty.channel.Channel;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Tells each connection's guard of its requests, and takes none from a client that asks on and on and does not read the
 * answers.
 */
@Singleton
final class ConnectionLimits {

    /** Before everything that answers. */
    private static final int PRIORITY = 510;

    private static final String KEY = "luq.connection-limits";
    /** Bytes of answers that one connection may leave unread and still ask. */
    private static final long MOST_UNREAD = 256 << 10;
    /** The same of HTTP/2, where each waits for a window of its own: streams. */
    private static final int MOST_UNREAD_STREAMS = 32;

    private static final long REFUSED_STREAM = 7;

    void filters(@Observes Filters filters) {
        filters.register(ConnectionLimits::watch, PRIORITY);
    }

    private static void watch(RoutingContext routing) {
        // A rerouted request comes by twice.
        if (routing.get(KEY) == null) {
            routing.put(KEY, true);
            HttpServerRequest request = routing.request();
            if (request.connection() instanceof ConnectionBase base && readsTooLittle(base.channel())) {
                refuse(routing, base);
                return;
            }
            ConnectionGuard.of(request.connection()).ifPresent(guard -> {
                AtomicBoolean ended = new AtomicBoolean();
                guard.begin();
                routing.addEndHandler(end -> {
                    if (ended.compareAndSet(false, true)) {
                        guard.end();
                    }
                });
            });
        }
        routing.next();
    }

    private static boolean readsTooLittle(Channel connection) {
        return ConnectionGuard.unsent(connection) > MOST_UNREAD
                || ConnectionGuard.unreadStreams(connection) > MOST_UNREAD_STREAMS;
    }

    private static void refuse(RoutingContext routing, ConnectionBase connection) {
        if (routing.request().version() == HttpVersion.HTTP_2) {
            routing.response().reset(REFUSED_STREAM);
        } else {
            connection.channel().close();
        }
    }
}
