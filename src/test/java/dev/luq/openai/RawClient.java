package dev.luq.openai;

import dev.luq.Until;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** A connection of which every byte is as the test says: an HTTP client would tidy it up. */
public final class RawClient implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    /** @param receiveBuffer bytes that the system buffers for a reader that does not read; 0 for its own choice */
    public RawClient(int port, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setSoTimeout((int) Until.LIMIT.toMillis());
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        in = new BufferedInputStream(socket.getInputStream(), 1024);
    }

    /**
     * One request on a connection of its own, with an empty JSON object where the method takes a body.
     *
     * @param key null for none
     * @param headers each with its line end
     * @return the whole answer
     */
    public static String exchange(URI server, String method, String path, String key, String headers)
            throws IOException {
        try (RawClient client = new RawClient(server.getPort(), 0)) {
            String body = method.equals("POST") || method.equals("PUT") ? "{}" : "";
            String host = headers.startsWith("Host:") || headers.contains("\nHost:") ? "" : "Host: localhost\n";
            client.send(
                    method + " " + path + " HTTP/1.1\n" + host + headers
                            + (key == null ? "" : "Authorization: Bearer " + key + "\n")
                            + "Connection: close\nContent-Type: application/json\nContent-Length: " + body.length()
                            + "\n\n",
                    body.getBytes(StandardCharsets.US_ASCII));
            return client.readToEnd();
        }
    }

    public static int status(String answer) {
        return Integer.parseInt(answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
    }

    /** @param head whose line ends may be those of Java */
    public void send(String head, byte[] body) throws IOException {
        socket.getOutputStream().write(head.replaceAll("\r?\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().write(body);
        socket.getOutputStream().flush();
    }

    /** Sends a chat request with this JSON. */
    public void chat(String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        send(
                "POST /v1/chat/completions HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + ScriptedProfile.USER
                        + "\nContent-Type: application/json\nContent-Length: " + body.length + "\n\n",
                body);
    }

    /** Reads until this text was received, and returns everything received so far. */
    public String readUntil(String text) throws IOException {
        StringBuilder received = new StringBuilder();
        while (received.indexOf(text, Math.max(0, received.length() - text.length())) < 0) {
            int next;
            try {
                next = in.read();
            } catch (SocketTimeoutException e) {
                throw new IOException("waited in vain for " + text + " after: " + received, e);
            }
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
    public void drip(String text, int times, int everyMillis) {
        Thread thread = new Thread(
                () -> {
                    try {
                        for (int i = 0; i < times; i++) {
                            send("", text.getBytes(StandardCharsets.ISO_8859_1));
                            Thread.sleep(everyMillis);
                        }
                    } catch (IOException | InterruptedException e) {
                        // the server has closed the connection
                    }
                },
                "drip");
        thread.setDaemon(true);
        thread.start();
    }

    /** Reads until the server has closed the connection, with or without good manners; what was received before. */
    public String readToEnd() throws IOException {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        try {
            for (int next = in.read(); next >= 0; next = in.read()) {
                received.write(next);
            }
        } catch (SocketException e) {
            // closed while bytes were under way
        } catch (SocketTimeoutException e) {
            throw new IOException("waited in vain for the end after: " + received.toString(StandardCharsets.UTF_8), e);
        }
        return received.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
