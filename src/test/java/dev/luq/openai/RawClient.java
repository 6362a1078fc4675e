package dev.luq.openai;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A connection without an HTTP client's good manners. */
final class RawClient implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    /** @param receiveBuffer bytes that the system buffers for a reader that does not read; 0 for its own choice */
    RawClient(int port, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setSoTimeout(5_000);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        in = new BufferedInputStream(socket.getInputStream(), 1024);
    }

    void send(String head, byte[] body) throws IOException {
        socket.getOutputStream().write(head.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().write(body);
        socket.getOutputStream().flush();
    }

    /** Sends a chat request with this JSON. */
    void chat(String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        send("POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedWorkers.KEY
                + "\nContent-Type: application/json\nContent-Length: " + body.length + "\n\n", body);
    }

    /** Reads until this text was received, and returns everything received so far. */
    String readUntil(String text) throws IOException {
        StringBuilder received = new StringBuilder();
        while (received.indexOf(text, Math.max(0, received.length() - text.length())) < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("connection ended after: " + received);
            }
            received.append((char) next);
        }
        return received.toString();
    }

    /**
     * Sends a text again and again while the server takes it.
     *
     * @param times at most
     * @param everyMillis between two of them
     */
    void drip(String text, int times, int everyMillis) {
        Thread thread = new Thread(() -> {
            try {
                for (int i = 0; i < times; i++) {
                    send("", text.getBytes(StandardCharsets.ISO_8859_1));
                    Thread.sleep(everyMillis);
                }
            } catch (IOException | InterruptedException e) {
                // the server has closed the connection
            }
        }, "drip");
        thread.setDaemon(true);
        thread.start();
    }

    /** Reads until the server has closed the connection, with or without good manners; what was received before. */
    String readToEnd() throws IOException {
        StringBuilder received = new StringBuilder();
        try {
            for (int next = in.read(); next >= 0; next = in.read()) {
                received.append((char) next);
            }
        } catch (SocketException e) {
            // closed while bytes were under way
        }
        return received.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
