package dev.luq.openai;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** A request of which every byte is as the test says: clients would tidy up its path. */
final class RawRequest {

    private RawRequest() {
    }

    /**
     * @param key null for none
     * @param headers each with its line end
     * @return the whole answer
     */
    static String send(URI server, String method, String path, String key, String headers) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.getPort())) {
            socket.setSoTimeout(10_000);
            String body = method.equals("POST") || method.equals("PUT") ? "{}" : "";
            String host = headers.startsWith("Host:") || headers.contains("\nHost:") ? "" : "Host: localhost\r\n";
            socket.getOutputStream().write((method + " " + path + " HTTP/1.1\r\n" + host + headers
                    + (key == null ? "" : "Authorization: Bearer " + key + "\r\n")
                    + "Connection: close\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n"
                    + body).getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    static int status(String answer) {
        return Integer.parseInt(answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
    }
}
