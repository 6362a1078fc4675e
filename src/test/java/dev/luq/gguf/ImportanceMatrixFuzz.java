package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** An importance matrix is refused, or has what each tensor needs; written again it says the same. */
public final class ImportanceMatrixFuzz implements FuzzTarget {

    @Override
    public String name() {
        return "importance-matrix";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(GgufBytes.header(2, 4)
                .keyText("general.type", "imatrix")
                .string("imatrix.datasets")
                .u32(9)
                .u32(8)
                .u64(1)
                .string("text")
                .keyU32("imatrix.chunk_count", 2)
                .keyU32("imatrix.chunk_size", 512)
                .tensor("blk.0.attn_q.weight.in_sum2", 0, 0, 4, 2)
                .tensor("blk.0.attn_q.weight.counts", 0, 32, 1, 2)
                .data(32, 40)
                .bytes());
    }

    @Override
    public void run(byte[] input) throws IOException {
        try (Scratch scratch = new Scratch()) {
            ImportanceMatrix matrix;
            try {
                matrix = ImportanceMatrix.read(scratch.write("matrix.gguf", input));
            } catch (GgufException refused) {
                return;
            }
            Path file = scratch.folder().resolve("again.gguf");
            matrix.write(file);
            ImportanceMatrix again = ImportanceMatrix.read(file);
            assertEquals(matrix.datasets(), again.datasets());
            assertEquals(matrix.chunkCount(), again.chunkCount());
            assertEquals(matrix.chunkSize(), again.chunkSize());
            assertEquals(matrix.entries().keySet(), again.entries().keySet());
            matrix.entries().forEach((name, entry) -> {
                assertArrayEquals(entry.sums(), again.entries().get(name).sums(), name);
                assertArrayEquals(entry.counts(), again.entries().get(name).counts(), name);
                entry.means();
            });
        }
    }
}
