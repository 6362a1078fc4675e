package dev.luq.http.connections;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.AttributeKey;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
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

    /** What was to be sent next at the last check, and since when that has not moved. */
    private Object sending;

    private long sent;
    private long sendingSince;

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

    /** Bytes of answers that wait for the client to read. From any thread. */
    static long unread(Channel connection) {
        ChannelOutboundBuffer buffer = connection.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
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
        boolean writing = isWriting(connection.unsafe().outboundBuffer(), now);
        if (writing) {
            idleSince = now;
        }
        if (writing && now - sendingSince > stalledNanos
                || !writing && requests.get() == 0 && now - idleSince > idleNanos) {
            // At once: the handlers of HTTP/2 would first send a farewell.
            connection.unsafe().close(connection.unsafe().voidPromise());
        } else {
            scheduleCheck(connection);
        }
    }

    private boolean isWriting(ChannelOutboundBuffer buffer, long now) {
        if (buffer == null || buffer.totalPendingWriteBytes() == 0) {
            sending = null;
            return false;
        }
        if (sending == null || buffer.current() != sending || buffer.currentProgress() != sent) {
            sending = buffer.current();
            sent = buffer.currentProgress();
            sendingSince = now;
        }
        return true;
    }
}
