package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the bytes are: a consistent {@link Gguf} or a {@link GgufException}. */
class GgufFuzzTest {

    private static final byte[] SEED_FILE = GgufBytes.header(3, 5)
            .keyText("general.architecture", "qwen2vl")
            .keyU32("general.alignment", 32)
            .string("tokens").u32(9).u32(8).u64(3).string("a").string("bc").string("def")
            .string("nested").u32(9).u32(9).u64(1).u32(6).u64(2).u32(0).u32(1)
            .string("flag").u32(7).raw(1)
            .tensor("token_embd.weight", 12, 0, 256, 2)
            .tensor("blk.0.attn_q.weight", 0, 288, 4, 2)
            .tensor("output_norm.weight", 0, 320, 5)
            .data(32, 340)
            .bytes();

    @Test
    void everyTruncationIsRefused() throws IOException {
        GgufBytes.read(SEED_FILE);
        for (int length = 0; length < SEED_FILE.length; length++) {
            byte[] cut = Arrays.copyOf(SEED_FILE, length);
            assertThrows(GgufException.class, () -> GgufBytes.read(cut), "cut to " + length);
        }
    }

    @Test
    void aTruncatedFileOnDiskIsRefused(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(SEED_FILE, SEED_FILE.length - 1));
        GgufException e = assertThrows(GgufException.Truncated.class, () -> Gguf.read(file));
        assertTrue(!e.getMessage().contains(directory.toString()), e.getMessage());
    }

    @Test
    void everyMutationIsReadOrRefused() throws IOException {
        Random random = new Random(20261120);
        for (int round = 0; round < 50_000; round++) {
            byte[] bytes = SEED_FILE.clone();
            for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
                bytes = mutate(bytes, random);
            }
            readOrRefuse(bytes);
        }
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        if (bytes.length < 16) {
            return bytes;
        }
        int at = random.nextInt(bytes.length - 8);
        switch (random.nextInt(5)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt();
            case 2 -> {
                // Extreme values where counts, lengths, shapes and offsets may be.
                long value = List.of(-1L, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, 1L << 59, 0L, 1L << 31)
                        .get(random.nextInt(7));
                for (int i = 0; i < 8; i++) {
                    bytes[at + i] = (byte) (value >> 8 * i);
                }
            }
            case 3 -> bytes = Arrays.copyOf(bytes, at);
            default -> {
                int length = 1 + random.nextInt(Math.min(32, bytes.length - at));
                int from = random.nextInt(bytes.length - length + 1);
                System.arraycopy(bytes, from, bytes, at, length);
            }
        }
        return bytes;
    }

    private static void readOrRefuse(byte[] bytes) throws IOException {
        Gguf gguf;
        try {
            gguf = GgufBytes.read(bytes);
        } catch (GgufException refused) {
            return;
        }
        for (GgufTensor tensor : gguf.tensors()) {
            assertTrue(gguf.offset(tensor.name()) + tensor.bytes() <= bytes.length, tensor.name());
        }
        for (GgufValue value : gguf.metadata().values()) {
            if (value instanceof GgufValue.Array array) {
                assertTrue(array.values().size() == array.size(), "decodable");
            }
        }
    }
}
