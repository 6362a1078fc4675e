package dev.luq.http.connections;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.util.AttributeKey;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Closes a connection on which no request begins for too long, be it that nothing is sent or that the head of a request
 * comes byte by byte; and one whose client does not read its answer. The times of bodies and generations are limited
 * elsewhere. Runs on the connection's event loop, but for the counting.
 */
final class ConnectionGuard extends ChannelInboundHandlerAdapter {

    private static final AttributeKey<ConnectionGuard> KEY = AttributeKey.valueOf("luq.connection-guard");
    private static final long LONGEST_CHECK_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final long idleNanos;
    private final long stalledNanos;
    private final AtomicInteger requests = new AtomicInteger();
    private volatile long idleSince = System.nanoTime();

    /** What waited to be sent at the last check, and since when that has not moved; null: nothing did. */
    private Waiting waiting;

    private long waitingSince;

    /**
     * The answers of a connection that wait for its client to read.
     *
     * @param next what goes to the socket next, if the socket takes no more
     * @param sent how much of that it has taken
     * @param streams of HTTP/2 that wait for the client's windows, and what is left of these, as one number
     */
    private record Waiting(Object next, long sent, List<Integer> streams, long windows) {

        static Optional<Waiting> of(Channel connection) {
            ChannelOutboundBuffer buffer = connection.unsafe().outboundBuffer();
            boolean unsent = buffer != null && buffer.totalPendingWriteBytes() > 0;
            List<Integer> streams = new ArrayList<>();
            long windows = windows(connection, streams);
            return unsent || !streams.isEmpty()
                    ? Optional.of(new Waiting(
                            unsent ? buffer.current() : null, unsent ? buffer.currentProgress() : 0, streams, windows))
                    : Optional.empty();
        }

        private static long windows(Channel connection, List<Integer> streams) {
            Http2ConnectionHandler handler = connection.pipeline().get(Http2ConnectionHandler.class);
            if (handler == null) {
                return 0;
            }
            Http2Connection http2 = handler.connection();
            Http2RemoteFlowController flow = http2.remote().flowController();
            long[] left = {flow.windowSize(http2.connectionStream())};
            try {
                http2.forEachActiveStream(stream -> {
                    if (flow.hasFlowControlled(stream)) {
                        streams.add(stream.id());
                        left[0] += flow.windowSize(stream);
                    }
                    return true;
                });
            } catch (Http2Exception e) {
                throw new IllegalStateException("looking at a stream fails for no reason", e);
            }
            return left[0];
        }
    }

    private ConnectionGuard(Duration idleTimeout, Duration stalledTimeout) {
        this.idleNanos = idleTimeout.toNanos();
        this.stalledNanos = stalledTimeout.toNanos();
    }

    /**
     * Guards a connection from its first moment on.
     *
     * @param connection just accepted, not active yet
     */
    static void guard(Channel connection, Duration idleTimeout, Duration stalledTimeout) {
        ConnectionGuard guard = new ConnectionGuard(idleTimeout, stalledTimeout);
        // Not looked up as a handler: an upgrade to HTTP/2 takes all of them out.
        connection.attr(KEY).set(guard);
        connection.pipeline().addFirst(guard);
    }

    /** The guard of a connection. */
    static Optional<ConnectionGuard> of(HttpConnection connection) {
        return connection instanceof ConnectionBase base
                ? Optional.ofNullable(base.channel().attr(KEY).get())
                : Optional.empty();
    }

    /** Bytes of answers that wait for the socket. From any thread. */
    static long unsent(Channel connection) {
        ChannelOutboundBuffer buffer = connection.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /** Streams of HTTP/2 whose answers wait for the client to read. On the connection's event loop. */
    static int unreadStreams(Channel connection) {
        return Waiting.of(connection).map(waiting -> waiting.streams().size()).orElse(0);
    }

    /** A request's head has arrived. */
    void begin() {
        requests.incrementAndGet();
    }

    /** A request is answered. */
    void end() {
        idleSince = System.nanoTime();
        requests.decrementAndGet();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        scheduleCheck(ctx.channel());
        ctx.fireChannelActive();
    }

    private void scheduleCheck(Channel connection) {
        long nanos = Math.min(Math.min(idleNanos, stalledNanos) / 4, LONGEST_CHECK_INTERVAL_NANOS);
        connection.eventLoop().schedule(() -> check(connection), Math.max(nanos, 1), TimeUnit.NANOSECONDS);
    }

    private void check(Channel connection) {
        if (!connection.isActive()) {
            return;
        }
        long now = System.nanoTime();
        boolean writing = isWriting(connection, now);
        if (writing) {
            idleSince = now;
        }
        if (writing && now - waitingSince > stalledNanos
                || !writing && requests.get() == 0 && now - idleSince > idleNanos) {
            // At once: the handlers of HTTP/2 would first send a farewell.
            connection.unsafe().close(connection.unsafe().voidPromise());
        } else {
            scheduleCheck(connection);
        }
    }

    private boolean isWriting(Channel connection, long now) {
        Waiting next = Waiting.of(connection).orElse(null);
        if (next != null && !next.equals(waiting)) {
            waitingSince = now;
        }
        waiting = next;
        return next != null;
    }
}
