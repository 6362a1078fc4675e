package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A GGUF is refused, or consistent; written again it says the same. */
public final class GgufFuzz implements FuzzTarget {

    static final byte[] SEED = GgufBytes.header(3, 5)
            .keyText("general.architecture", "qwen2vl")
            .keyU32("general.alignment", 32)
            .string("tokens")
            .u32(9)
            .u32(8)
            .u64(3)
            .string("a")
            .string("bc")
            .string("def")
            .string("nested")
            .u32(9)
            .u32(9)
            .u64(1)
            .u32(6)
            .u64(2)
            .u32(0)
            .u32(1)
            .string("flag")
            .u32(7)
            .raw(1)
            .tensor("token_embd.weight", 12, 0, 256, 2)
            .tensor("blk.0.attn_q.weight", 0, 288, 4, 2)
            .tensor("output_norm.weight", 0, 320, 5)
            .data(32, 340)
            .bytes();

    @Override
    public String name() {
        return "gguf";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                SEED,
                GgufBytes.header(0, 0).bytes(),
                GgufBytes.header(1, 2)
                        .string("f")
                        .u32(12)
                        .u64(0x7ff8000000000001L)
                        .string("i")
                        .u32(11)
                        .u64(-1)
                        .tensor("t", 24, 0, 3)
                        .data(32, 3)
                        .bytes());
    }

    @Override
    public void run(byte[] input) throws IOException {
        Gguf gguf;
        try {
            gguf = GgufBytes.read(input);
        } catch (GgufException refused) {
            return;
        }
        for (GgufTensor tensor : gguf.tensors()) {
            assertTrue(gguf.offset(tensor.name()) >= gguf.dataOffset(), tensor.name());
            assertTrue(gguf.offset(tensor.name()) + tensor.bytes() <= input.length, tensor.name());
        }
        for (GgufValue value : gguf.metadata().values()) {
            if (value instanceof GgufValue.Array array) {
                assertEquals(array.size(), array.values().size());
            }
        }
        try (Scratch scratch = new Scratch()) {
            requireSame(gguf, input, scratch.folder().resolve("again.gguf"));
        }
    }

    private static void requireSame(Gguf gguf, byte[] input, Path file) throws IOException {
        try (GgufWriter writer = GgufWriter.create(file, gguf.metadata(), gguf.tensors())) {
            for (GgufTensor tensor : gguf.tensors()) {
                writer.begin(tensor.name());
                writer.write(data(gguf, tensor, input));
            }
            writer.commit();
        }
        Gguf again = Gguf.read(file);
        assertEquals(gguf.metadata(), again.metadata());
        assertEquals(gguf.tensors(), again.tensors());
        byte[] written = Files.readAllBytes(file);
        for (GgufTensor tensor : gguf.tensors()) {
            assertEquals(data(gguf, tensor, input), data(again, tensor, written), tensor.name());
        }
    }

    private static ByteBuffer data(Gguf gguf, GgufTensor tensor, byte[] file) {
        return ByteBuffer.wrap(file, (int) gguf.offset(tensor.name()), (int) tensor.bytes());
    }
}
