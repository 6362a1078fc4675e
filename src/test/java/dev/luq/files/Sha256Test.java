package dev.luq.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Sha256Test {

    /** FIPS 180-2, appendix B.1. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    private static final String NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    @Test
    void contentHasOneDigestHoweverItComes(@TempDir Path folder) throws IOException {
        byte[] abc = "abc".getBytes(UTF_8);
        assertEquals(ABC, Sha256.hex(abc));
        assertArrayEquals(HexFormat.of().parseHex(ABC), Sha256.bytes(abc));
        ByteBuffer middle = ByteBuffer.wrap("-abc-".getBytes(UTF_8), 1, 3);
        assertEquals(ABC, Sha256.hex(middle));
        assertEquals(0, middle.remaining());
        Path file = Files.write(folder.resolve("file"), abc);
        assertEquals(ABC, Sha256.hex(file));
        assertArrayEquals(HexFormat.of().parseHex(ABC), Sha256.bytes(file));
        MessageDigest digest = Sha256.create();
        digest.update((byte) 'a');
        digest.update("bc".getBytes(UTF_8));
        assertEquals(ABC, Sha256.hex(digest));
        assertEquals(NOTHING, Sha256.hex(digest), "it starts anew");
    }

    @Test
    void filesAreReadToTheirEnd(@TempDir Path folder) throws IOException {
        assertEquals(NOTHING, Sha256.hex(Files.createFile(folder.resolve("empty"))));
        byte[] large = new byte[3_000_000];
        large[2_999_999] = 1;
        assertEquals(Sha256.hex(large), Sha256.hex(Files.write(folder.resolve("large"), large)));
    }
}
