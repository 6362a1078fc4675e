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
 * Closes a connection on which nothing comes of anything: no request for too long, be it that nothing is sent or that the
 * head of a request drips; or an answer that its client does not read. What a request's body and its generation may take
 * is not its matter. On the connection's event loop, but for the counting.
 */
final class ConnectionGuard extends ChannelInboundHandlerAdapter {

    private static final AttributeKey<ConnectionGuard> KEY = AttributeKey.valueOf("luq.connection-guard");
    private static final long MOST_NANOS_BETWEEN_LOOKS = TimeUnit.SECONDS.toNanos(5);

    private final long idleNanos;
    private final long stalledNanos;
    private final AtomicInteger requests = new AtomicInteger();
    private volatile long idleSince = System.nanoTime();

    /** What was to be sent next at the last look, and since when that has not moved. */
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
        lookAgain(ctx.channel());
        ctx.fireChannelActive();
    }

    private void lookAgain(Channel connection) {
        long nanos = Math.min(Math.min(idleNanos, stalledNanos) / 4, MOST_NANOS_BETWEEN_LOOKS);
        connection.eventLoop().schedule(() -> look(connection), Math.max(nanos, 1), TimeUnit.NANOSECONDS);
    }

    private void look(Channel connection) {
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
            lookAgain(connection);
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
