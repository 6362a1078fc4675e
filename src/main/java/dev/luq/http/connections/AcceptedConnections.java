package dev.luq.http.connections;

import dev.luq.http.ClientNetwork;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ErrorResponses;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the connections of each {@link ClientNetwork}, refuses what is too many, and puts a {@link ConnectionGuard} into each
 * of the others. One listening socket's.
 */
@Sharable
final class AcceptedConnections extends ChannelInboundHandlerAdapter {

    /** Refused connections that are told why at the same time. */
    private static final int MOST_REFUSED = 100;

    private static final long REFUSAL_MILLIS = 1000;

    private final int most;
    private final Duration idleTimeout;
    private final Duration stalledTimeout;
    private final boolean plain;
    private final Map<ByteBuffer, Integer> open = new ConcurrentHashMap<>();
    private final AtomicInteger refused = new AtomicInteger();

    /**
     * @param most connections of one address
     * @param plain whether bytes go over the connections as they are, so that one can be told why it is refused
     */
    AcceptedConnections(int most, Duration idleTimeout, Duration stalledTimeout, boolean plain) {
        this.most = most;
        this.idleTimeout = idleTimeout;
        this.stalledTimeout = stalledTimeout;
        this.plain = plain;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
        Channel connection = (Channel) accepted;
        if (connection.remoteAddress() instanceof InetSocketAddress remote) {
            ByteBuffer client = ByteBuffer.wrap(ClientNetwork.of(remote.getAddress()));
            if (open.merge(client, 1, Integer::sum) > most) {
                left(client);
                if (!plain || refused.incrementAndGet() > MOST_REFUSED) {
                    connection.unsafe().closeForcibly();
                    return;
                }
                connection.closeFuture().addListener(closed -> refused.decrementAndGet());
                connection.pipeline().addFirst(new Refusal());
            } else {
                connection.closeFuture().addListener(closed -> left(client));
                ConnectionGuard.guard(connection, idleTimeout, stalledTimeout);
            }
        }
        ctx.fireChannelRead(connection);
    }

    private void left(ByteBuffer client) {
        open.computeIfPresent(client, (address, count) -> count == 1 ? null : count - 1);
    }

    /** Says that there are too many, whatever is asked, and waits a moment for the client to read it. */
    private static final class Refusal extends ChannelInboundHandlerAdapter {

        private static final byte[] ANSWER = answer();

        private static byte[] answer() {
            String json = ErrorResponses.json(ApiError.of(
                    429,
                    "too_many_connections",
                    "Your address has too many connections open; use fewer, and each for many requests"));
            return ("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 10\r\nConnection: close\r\n"
                            + "Content-Length: " + json.length() + "\r\n\r\n" + json)
                    .getBytes(StandardCharsets.US_ASCII);
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(Unpooled.wrappedBuffer(ANSWER))
                    .addListener(written -> ((DuplexChannel) ctx.channel()).shutdownOutput());
            ctx.executor().schedule(() -> ctx.close(), REFUSAL_MILLIS, TimeUnit.MILLISECONDS);
            ctx.read();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object bytes) {
            ReferenceCountUtil.release(bytes);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.read();
        }
    }
}
