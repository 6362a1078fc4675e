package dev.luq.engine;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Turns bytes that come in arbitrary pieces into text; a character comes out when its last byte is there. */
final class Utf8Decoder {

    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    /** At most three bytes of a character that is not complete. */
    private ByteBuffer rest = ByteBuffer.allocate(0);

    /** The text that is complete now; malformed bytes become U+FFFD. */
    String decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.allocate(rest.remaining() + bytes.length)
                .put(rest)
                .put(bytes)
                .flip();
        CharBuffer out = CharBuffer.allocate(in.remaining());
        decoder.decode(in, out, false);
        rest = in;
        return out.flip().toString();
    }

    /** The end: what is still incomplete becomes one U+FFFD. */
    String finish() {
        String text = rest.hasRemaining() ? "\uFFFD" : "";
        rest = ByteBuffer.allocate(0);
        return text;
    }
}
