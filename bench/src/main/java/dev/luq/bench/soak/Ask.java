package dev.luq.bench.soak;

import java.nio.charset.StandardCharsets;

/**
 * A request to send.
 *
 * @param head with the empty line behind it
 * @param body possibly empty
 * @param patience milliseconds: between the pieces of a dripping body and of an answer read slowly; how long a client that
 *     leaves waits before
 */
record Ask(Kind kind, byte[] head, byte[] body, int patience) {

    private static final String CHAT = "/v1/chat/completions";

    /** A chat request with this body. */
    static Ask chat(Kind kind, byte[] body, int patience) {
        return of(
                kind,
                "POST " + CHAT,
                "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n",
                body,
                patience);
    }

    /**
     * @param line method and path
     * @param headers each with its end of line, beside Host and Connection
     */
    static Ask of(Kind kind, String line, String headers, byte[] body, int patience) {
        String head = line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n";
        return new Ask(kind, head.getBytes(StandardCharsets.ISO_8859_1), body, patience);
    }
}
