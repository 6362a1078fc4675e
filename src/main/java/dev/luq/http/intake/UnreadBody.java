package dev.luq.http.intake;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/**
 * What is left of a body when its request is answered, because it was refused: dropped for a moment, so that the client
 * reads the answer, which a connection that is closed in the middle of sending often loses. Then the connection, or the
 * stream over HTTP/2, is closed: no client goes on sending after its answer.
 */
@Singleton
final class UnreadBody {

    /** Before everything that answers. */
    private static final int PRIORITY = 500;

    private static final long DRAIN_MILLIS = 1000;
    private static final String KEY = "luq.unread-body";

    void filters(@Observes Filters filters) {
        filters.register(UnreadBody::watch, PRIORITY);
    }

    /** Whether the request's head says that a body follows; over HTTP/2, whether it does not exclude one. */
    static boolean announced(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        return length != null && !length.equals("0")
                || request.getHeader("Transfer-Encoding") != null
                || request.version() == HttpVersion.HTTP_2 && length == null;
    }

    private static void watch(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        Context context = Vertx.currentContext();
        // A rerouted request comes by twice.
        if (routing.get(KEY) == null && announced(request)) {
            routing.put(KEY, true);
            if (request.version() != HttpVersion.HTTP_2) {
                routing.addHeadersEndHandler(head -> {
                    if (!request.isEnded()) {
                        routing.response().putHeader("Connection", "close");
                    }
                });
            }
            routing.addBodyEndHandler(answered -> {
                // Answers come from any thread.
                context.runOnContext(turn -> drop(routing));
            });
        }
        routing.next();
    }

    private static void drop(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        if (request.isEnded()) {
            return;
        }
        long timer = routing.vertx().setTimer(DRAIN_MILLIS, late -> close(routing));
        request.exceptionHandler(gone -> routing.vertx().cancelTimer(timer));
        request.endHandler(last -> {
            routing.vertx().cancelTimer(timer);
            if (request.version() != HttpVersion.HTTP_2) {
                close(routing);
            }
        });
        request.handler(bytes -> {});
        request.resume();
    }

    private static void close(RoutingContext routing) {
        if (routing.request().version() == HttpVersion.HTTP_2) {
            routing.response().reset();
        } else {
            ((ConnectionBase) routing.request().connection()).channel().close();
        }
    }
}
