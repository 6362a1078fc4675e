package dev.luq.bench.soak;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came back on a connection until it was closed.
 *
 * @param status 0 where nothing came that begins like an answer
 * @param headers by their names in small letters
 * @param body without the frame of chunks
 * @param whole whether all came that the headers announced
 */
record Reply(int status, Map<String, String> headers, byte[] body, boolean whole) {

    private static final Reply NOTHING = new Reply(0, Map.of(), new byte[0], false);

    static Reply parse(byte[] received) {
        String text = new String(received, StandardCharsets.ISO_8859_1);
        int end = text.indexOf("\r\n\r\n");
        if (end < 0 || !text.startsWith("HTTP/1.1 ") || text.length() < 12) {
            return NOTHING;
        }
        Map<String, String> headers = new TreeMap<>();
        text.substring(0, end).lines().skip(1).forEach(line -> {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, Math.max(colon, 0)).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        });
        try {
            int status = Integer.parseInt(text.substring(9, 12));
            if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
                return chunked(status, headers, text, end + 4);
            }
            byte[] body = text.substring(end + 4).getBytes(StandardCharsets.ISO_8859_1);
            String length = headers.get("content-length");
            return new Reply(status, headers, body, length != null && Long.parseLong(length) == body.length);
        } catch (NumberFormatException e) {
            return NOTHING;
        }
    }

    private static Reply chunked(int status, Map<String, String> headers, String text, int from) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int at = from;
        while (true) {
            int line = text.indexOf("\r\n", at);
            int length = line < 0 ? -1 : Integer.parseInt(text.substring(at, line), 16);
            if (length == 0) {
                return new Reply(status, headers, body.toByteArray(), text.startsWith("\r\n", line + 2));
            }
            if (length < 0 || line + 4 + length > text.length()) {
                return new Reply(status, headers, body.toByteArray(), false);
            }
            body.writeBytes(text.substring(line + 2, line + 2 + length).getBytes(StandardCharsets.ISO_8859_1));
            at = line + 4 + length;
        }
    }

    /** The body as text. */
    String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    boolean isStream() {
        return headers.getOrDefault("content-type", "").startsWith("text/event-stream");
    }
}
