package dev.luq.http;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2Exception;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import org.jboss.logging.Logger;

/**
 * Keeps the failure of one HTTP/2 stream from the others of its connection. A write fails whenever a client resets its
 * stream before the last byte of the answer was sent. Where nobody listens to the write, as RESTEasy does not, Netty sends
 * the failure through the connection's pipeline, and Vert.x closes a connection whose pipeline meets an exception.
 */
@Sharable
final class StreamFailures extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = Logger.getLogger(StreamFailures.class);
    private static final String NAME = "luq.stream-failures";
    private static final StreamFailures INSTANCE = new StreamFailures();

    private StreamFailures() {}

    /** Takes care of a request's connection from now on. Called on the request's event loop; again at no cost. */
    static void contain(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        if (request.version() == HttpVersion.HTTP_2 && connection instanceof ConnectionBase base) {
            ChannelPipeline pipeline = base.channel().pipeline();
            if (pipeline.get(NAME) == null) {
                pipeline.addFirst(NAME, INSTANCE);
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (isOfOneStream(cause)) {
            LOG.debugf(cause, "An answer's client is gone");
        } else {
            ctx.fireExceptionCaught(cause);
        }
    }

    /** What Netty's HTTP/2 encoder and flow control fail a write with whose stream is closed. */
    private static boolean isOfOneStream(Throwable cause) {
        return cause instanceof Http2Exception.StreamException
                || (cause instanceof IllegalArgumentException || cause instanceof IllegalStateException)
                        && cause.getMessage() != null
                        && cause.getMessage().startsWith("Stream ");
    }
}
