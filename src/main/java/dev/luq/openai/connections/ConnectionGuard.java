package dev.luq.openai.connections;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
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

    private static final long MOST_NANOS_BETWEEN_LOOKS = TimeUnit.SECONDS.toNanos(5);

    private final long idleNanos;
    private final long stalledNanos;
    private final AtomicInteger requests = new AtomicInteger();
    private volatile long idleSince = System.nanoTime();

    /** What was to be sent next at the last look, and since when that has not moved. */
    private Object sending;
    private long sent;
    private long sendingSince;

    ConnectionGuard(Duration idleTimeout, Duration stalledTimeout) {
        this.idleNanos = idleTimeout.toNanos();
        this.stalledNanos = stalledTimeout.toNanos();
    }

    /** The guard of a connection. */
    static Optional<ConnectionGuard> of(HttpConnection connection) {
        return connection instanceof ConnectionBase base
                ? Optional.ofNullable(base.channel().pipeline().get(ConnectionGuard.class))
                : Optional.empty();
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
        lookAgain(ctx);
        ctx.fireChannelActive();
    }

    private void lookAgain(ChannelHandlerContext ctx) {
        long nanos = Math.min(Math.min(idleNanos, stalledNanos) / 4, MOST_NANOS_BETWEEN_LOOKS);
        ctx.executor().schedule(() -> look(ctx), Math.max(nanos, 1), TimeUnit.NANOSECONDS);
    }

    private void look(ChannelHandlerContext ctx) {
        if (!ctx.channel().isActive()) {
            return;
        }
        long now = System.nanoTime();
        boolean writing = isWriting(ctx.channel().unsafe().outboundBuffer(), now);
        if (writing) {
            idleSince = now;
        }
        if (writing && now - sendingSince > stalledNanos
                || !writing && requests.get() == 0 && now - idleSince > idleNanos) {
            // From here, and not from the connection's end of the pipeline, which would first send a farewell.
            ctx.close();
        } else {
            lookAgain(ctx);
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
