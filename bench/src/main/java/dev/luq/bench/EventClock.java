package dev.luq.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A client for benchmarks that shares the processors with the server: while an answer comes it only reads a socket,
 * notes when each server-sent event was complete and keeps the bytes; it looks at them when the answer is whole.
 */
final class EventClock {

    private static final String DATA = "data: ";
    /** llama-server sends nothing before the first token: its prompt and those of the requests before take minutes. */
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(30);

    private final URI server;
    private final Duration longestSilence;

    /** @param server scheme, host and port; the scheme is http */
    EventClock(URI server) {
        this(server, LONGEST_SILENCE);
    }

    EventClock(URI server, Duration longestSilence) {
        this.server = server;
        this.longestSilence = longestSilence;
    }

    /**
     * A streamed answer.
     *
     * @param sent when the first byte of the request was about to be sent, by {@link System#nanoTime()}
     * @param texts when each event with text was complete, by {@link System#nanoTime()}
     * @param characters of the text
     * @param usage the last usage object, or a missing node
     */
    record Answer(long sent, long[] texts, int characters, JsonNode usage) {}

    /**
     * Sends a chat completion and waits for its end.
     *
     * @throws CliException when the server refuses, fails, is gone or sends nothing for half an hour
     */
    Answer complete(JsonNode asked) {
        byte[] body = asked.toString().getBytes(StandardCharsets.UTF_8);
        String head = "POST /v1/chat/completions HTTP/1.1\r\nHost: " + server.getAuthority()
                + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + body.length
                + "\r\n\r\n";
        try (Socket socket = new Socket(server.getHost(), server.getPort())) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(Math.toIntExact(longestSilence.toMillis()));
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            whole.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
            whole.writeBytes(body);
            byte[] request = whole.toByteArray();
            long sent = System.nanoTime();
            socket.getOutputStream().write(request);
            return read(socket.getInputStream(), sent);
        } catch (SocketTimeoutException e) {
            throw CompletionClient.silent(server, longestSilence, e);
        } catch (IOException e) {
            throw new CliException("No answer from " + server + ".", e);
        }
    }

    private static Answer read(InputStream in, long sent) throws IOException {
        ByteArrayOutputStream answer = new ByteArrayOutputStream(1 << 18);
        byte[] piece = new byte[1 << 14];
        long[] ends = new long[1 << 10];
        int events = 0;
        byte before = 0;
        for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
            long now = System.nanoTime();
            for (int i = 0; i < count; i++) {
                // Two bare line feeds end an event; HTTP's own lines end with carriage return and line feed.
                if (piece[i] == '\n' && before == '\n') {
                    ends = events < ends.length ? ends : Arrays.copyOf(ends, 2 * events);
                    ends[events++] = now;
                }
                before = piece[i];
            }
            answer.write(piece, 0, count);
        }
        return understand(answer.toString(StandardCharsets.UTF_8), sent, ends);
    }

    private static Answer understand(String answer, long sent, long[] ends) {
        int head = answer.indexOf("\r\n\r\n");
        if (head < 0 || !answer.startsWith("HTTP/1.1 200 ")) {
            throw new CliException(
                    "The server answered " + answer.lines().findFirst().orElse("nothing") + ".");
        }
        // An event is one write of the server and so lies within one chunk. Comments keep connections alive.
        String[] events = answer.substring(head).split("\n\n", -1);
        List<Long> texts = new ArrayList<>();
        int characters = 0;
        boolean done = false;
        JsonNode usage = MissingNode.getInstance();
        // What follows the last end is no event.
        for (int i = 0; i < events.length - 1; i++) {
            Optional<String> data = data(events[i]);
            if (data.isEmpty()) {
                continue;
            }
            done = data.get().equals("[DONE]");
            if (done) {
                break;
            }
            JsonNode event = CompletionClient.parse(data.get());
            if (event.has("error")) {
                throw new CliException(event.path("error").path("message").asText("The generation failed."));
            }
            usage = event.path("usage").isObject() ? event.path("usage") : usage;
            String text =
                    event.path("choices").path(0).path("delta").path("content").asText("");
            if (!text.isEmpty()) {
                texts.add(ends[i]);
                characters += text.length();
            }
        }
        if (!done) {
            throw new CliException("The answer ended early.");
        }
        return new Answer(sent, texts.stream().mapToLong(Long::longValue).toArray(), characters, usage);
    }

    private static Optional<String> data(String event) {
        return event.lines()
                .filter(line -> line.startsWith(DATA))
                .map(line -> line.substring(DATA.length()))
                .findFirst();
    }
}
