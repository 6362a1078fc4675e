package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Utf8DecoderTest {

    @Test
    void aCharacterComesWithItsLastByte() {
        String text = "aé€😀z";
        Utf8Decoder decoder = new Utf8Decoder();
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            String piece = decoder.decode(new byte[] {b});
            out.append(piece);
            assertEquals(text.substring(0, out.length()), out.toString());
        }
        assertEquals(text, out + decoder.finish());
    }

    @Test
    void nothingComesOfHalfACharacter() {
        Utf8Decoder decoder = new Utf8Decoder();
        assertEquals("a", decoder.decode(new byte[] {'a', (byte) 0xF0, (byte) 0x9F}));
        assertEquals("", decoder.decode(new byte[] {(byte) 0x98}));
        assertEquals("😀", decoder.decode(new byte[] {(byte) 0x80}));
    }

    @Test
    void malformedBytesAreReplaced() {
        Utf8Decoder decoder = new Utf8Decoder();
        assertEquals("\uFFFDa\uFFFD", decoder.decode(new byte[] {(byte) 0xFF, 'a', (byte) 0x80}));
        assertEquals("\uFFFDb", decoder.decode(new byte[] {(byte) 0xC3, 'b'}));
    }

    @Test
    void anIncompleteEndIsReplacedOnce() {
        Utf8Decoder decoder = new Utf8Decoder();
        assertEquals("", decoder.decode(new byte[] {(byte) 0xE2, (byte) 0x82}));
        assertEquals("\uFFFD", decoder.finish());
        assertEquals("", decoder.finish());
    }
}
