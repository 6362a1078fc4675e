package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that is cut off, wherever, is refused. */
class GgufTruncationTest {

    @Test
    void everyTruncationIsRefused() throws IOException {
        GgufBytes.read(GgufFuzz.SEED);
        for (int length = 0; length < GgufFuzz.SEED.length; length++) {
            byte[] cut = Arrays.copyOf(GgufFuzz.SEED, length);
            assertThrows(GgufException.class, () -> GgufBytes.read(cut), "cut to " + length);
        }
    }

    @Test
    void aTruncatedFileOnDiskIsRefused(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(GgufFuzz.SEED, GgufFuzz.SEED.length - 1));
        GgufException e = assertThrows(GgufException.Truncated.class, () -> Gguf.read(file));
        assertTrue(!e.getMessage().contains(directory.toString()), e.getMessage());
    }
}
