package dev.luq.bench.soak;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a connection gave, read as HTTP says. */
class ReplyTest {

    @Test
    void aBodyOfAKnownLength() {
        Reply reply = Reply.parse("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A:b\r\n\r\nä!".getBytes(UTF_8));
        assertEquals(404, reply.status());
        assertEquals("b", reply.headers().get("x-a"));
        assertEquals("ä!", reply.text());
        assertTrue(reply.whole());
        assertFalse(Reply.parse("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nä!".getBytes(UTF_8))
                .whole());
    }

    @Test
    void aBodyInChunks() {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        Reply reply = Reply.parse((head + "3\r\nä!\r\nb\r\nabc\ndef\nghi\r\n0\r\n\r\n").getBytes(UTF_8));
        assertEquals("ä!abc\ndef\nghi", reply.text());
        assertTrue(reply.whole() && reply.isStream());
        for (String cut : new String[] {"3\r\nä!\r\n0\r\n", "3\r\nä", "3", ""}) {
            assertFalse(Reply.parse((head + cut).getBytes(UTF_8)).whole(), cut);
        }
    }

    @Test
    void whatIsNoAnswer() {
        for (String text :
                List.of("", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 abc\r\n\r\n")) {
            assertEquals(0, Reply.parse(text.getBytes(UTF_8)).status(), text);
        }
    }
}
