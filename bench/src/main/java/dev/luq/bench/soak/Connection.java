package dev.luq.bench.soak;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.Arrays;

/** One request and its answer on a connection of their own, with manners of every kind. */
final class Connection implements AutoCloseable {

    /** Bytes that the system takes for a slow reader: so few that the server has to wait for it. */
    private static final int SMALL_BUFFER = 2048;

    private static final int CONNECT_MILLIS = 20_000;
    /** Longer than anything waits for its turn. */
    private static final int ANSWER_MILLIS = 120_000;

    private static final int PIECES = 40;
    private static final int ADDRESSES = 64;

    private final Socket socket = new Socket();
    private final Ask ask;

    /**
     * Connects.
     *
     * @param client distinguishes clients: each has an address of the loopback network
     */
    Connection(URI server, int client, Ask ask) throws IOException {
        this.ask = ask;
        try {
            if (ask.kind() == Kind.SLOW_READER) {
                socket.setReceiveBufferSize(SMALL_BUFFER);
            }
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(ANSWER_MILLIS);
            byte[] own = {127, 0, (byte) (client / ADDRESSES), (byte) (1 + client % ADDRESSES)};
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(own), 0));
            socket.connect(new InetSocketAddress(server.getHost(), server.getPort()), CONNECT_MILLIS);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Sends the request and reads the answer to its end or that of the connection; of kinds that leave, as much as there was.
     *
     * @throws IOException also when the server closes the connection while it still gets the request
     * @throws InterruptedException when the run is over
     */
    Reply exchange() throws IOException, InterruptedException {
        OutputStream out = socket.getOutputStream();
        switch (ask.kind()) {
            case DRIPPING -> drip(out);
            case UNFINISHED -> {
                out.write(ask.head());
                out.write(ask.body(), 0, ask.body().length / 2);
                Thread.sleep(ask.patience());
                return Reply.parse(new byte[0]);
            }
            case LEAVING -> {
                out.write(whole());
                return Reply.parse(readFor(ask.patience()));
            }
            default -> out.write(whole());
        }
        return read(ask.kind() == Kind.SLOW_READER ? ask.patience() : 0);
    }

    private byte[] whole() {
        byte[] whole = Arrays.copyOf(ask.head(), ask.head().length + ask.body().length);
        System.arraycopy(ask.body(), 0, whole, ask.head().length, ask.body().length);
        return whole;
    }

    private void drip(OutputStream out) throws IOException, InterruptedException {
        out.write(ask.head());
        int piece = Math.max(1, ask.body().length / PIECES);
        for (int at = 0; at < ask.body().length; at += piece) {
            out.write(ask.body(), at, Math.min(piece, ask.body().length - at));
            Thread.sleep(ask.patience());
        }
    }

    private Reply read(int pause) throws IOException, InterruptedException {
        InputStream in = socket.getInputStream();
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        byte[] piece = new byte[pause > 0 ? SMALL_BUFFER / 4 : 1 << 16];
        for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
            read.write(piece, 0, count);
            Thread.sleep(pause);
            if (in.available() == 0) {
                Reply reply = Reply.parse(read.toByteArray());
                if (reply.whole()) {
                    return reply;
                }
            }
        }
        return Reply.parse(read.toByteArray());
    }

    private byte[] readFor(int millis) throws IOException {
        socket.setSoTimeout(Math.max(1, millis));
        try {
            return socket.getInputStream().readNBytes(SMALL_BUFFER);
        } catch (SocketTimeoutException e) {
            return new byte[0];
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // A client that leaves does not look back.
        }
    }
}
