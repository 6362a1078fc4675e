package dev.luq.openai.connections;

import dev.luq.openai.ApiConfig;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Stream;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Tells each connection's guard of its requests, and takes none from a client that asks on and on and does not read the
 * answers. Over HTTP/2, where an answer waits for its own stream and not for the
 * connection, ends the stream of a client that does not read.
 */
@Singleton
final class ConnectionLimits {

    /** Before everything that answers. */
    private static final int PRIORITY = 510;
    private static final String KEY = "luq.connection-limits";
    /** Bytes of answers that one connection may leave unread and still ask. */
    private static final long MOST_UNREAD = 256 << 10;
    private static final long REFUSED_STREAM = 7;
    /** Until most answers are on their way, whichever thread gave them. */
    private static final long SOON_MILLIS = 100;

    private final ApiConfig config;

    @Inject
    ConnectionLimits(ApiConfig config) {
        this.config = config;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::watch, PRIORITY);
    }

    private void watch(RoutingContext routing) {
        // A rerouted request comes by twice.
        if (routing.get(KEY) == null) {
            routing.put(KEY, true);
            HttpServerRequest request = routing.request();
            if (request.connection() instanceof ConnectionBase base && ConnectionGuard.unread(base.channel()) > MOST_UNREAD) {
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
            if (request.version() == HttpVersion.HTTP_2 && request.connection() instanceof ConnectionBase connection) {
                Context context = Vertx.currentContext();
                routing.addBodyEndHandler(answered -> context.owner().setTimer(SOON_MILLIS, soon ->
                        context.runOnContext(turn -> limitReading(routing, connection))));
            }
        }
        routing.next();
    }

    private static void refuse(RoutingContext routing, ConnectionBase connection) {
        if (routing.request().version() == HttpVersion.HTTP_2) {
            routing.response().reset(REFUSED_STREAM);
        } else {
            connection.channel().close();
        }
    }

    private void limitReading(RoutingContext routing, ConnectionBase connection) {
        if (isUnread(routing, connection)) {
            long millis = config.stalledClientTimeout().toMillis()
                    + routing.response().bytesWritten() * 1000 / Math.max(1, config.minBodyRate());
            routing.vertx().setTimer(millis, late -> {
                if (isUnread(routing, connection)) {
                    routing.response().reset();
                }
            });
        }
    }

    /** Whether bytes of the answer wait for the client to make room for them. */
    private static boolean isUnread(RoutingContext routing, ConnectionBase connection) {
        Http2ConnectionHandler http2 = connection.channel().pipeline().get(Http2ConnectionHandler.class);
        Http2Stream stream = http2 == null ? null : http2.connection().stream(routing.response().streamId());
        return stream != null && http2.encoder().flowController().hasFlowControlled(stream);
    }
}
