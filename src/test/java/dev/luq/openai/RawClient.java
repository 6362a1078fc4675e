package dev.luq.openai;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A connection without an HTTP client's good manners. */
final class RawClient implements AutoCloseable {

    private final Socket socket;

    /** @param receiveBuffer bytes that the system buffers for a reader that does not read; 0 for its own choice */
    RawClient(int port, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setSoTimeout(5_000);
        socket.connect(new java.net.InetSocketAddress("127.0.0.1", port));
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
        InputStream in = socket.getInputStream();
        // What came before was searched already: only the end can complete the text.
        while (received.indexOf(text, Math.max(0, received.length() - text.length())) < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("connection ended after: " + received);
            }
            received.append((char) next);
        }
        return received.toString();
    }

    /** Reads what is left; ends with the connection, however it ends. */
    String readToEnd() {
        StringBuilder received = new StringBuilder();
        try {
            InputStream in = socket.getInputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                received.append((char) next);
            }
        } catch (IOException reset) {
            received.append("<reset>");
        }
        return received.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
