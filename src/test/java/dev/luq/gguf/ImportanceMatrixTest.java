package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportanceMatrixTest {

    @TempDir
    Path directory;

    @Test
    void whatIsWrittenIsRead() throws IOException {
        ImportanceMatrix matrix = new ImportanceMatrix(
                new TreeMap<>(Map.of(
                        "blk.0.attn_q.weight",
                        ImportanceMatrix.Entry.dense(new float[] {4, 0, 2}, 4),
                        "blk.0.ffn_up_exps.weight",
                        new ImportanceMatrix.Entry(new float[] {4, 8, 6, 3}, new long[] {2, 0}))),
                List.of("textvqa", "own"),
                12,
                512);
        Path file = directory.resolve("imatrix.gguf");
        matrix.write(file);

        ImportanceMatrix read = ImportanceMatrix.read(file);
        assertEquals(matrix.entries().keySet(), read.entries().keySet());
        assertEquals(List.of("textvqa", "own"), read.datasets());
        assertEquals(12, read.chunkCount());
        assertEquals(512, read.chunkSize());
        assertArrayEquals(
                new float[] {1, 0, 0.5f}, read.means("blk.0.attn_q.weight").orElseThrow());
        assertArrayEquals(
                new float[] {2, 4, 1, 1},
                read.means("blk.0.ffn_up_exps.weight").orElseThrow(),
                "an expert that was never used counts evenly");
        assertEquals(Optional.empty(), read.means("blk.1.attn_q.weight"));
    }

    /** The layout that llama.cpp's tools read and write. */
    @Test
    void theFileIsLlamaCppsOwn() throws IOException {
        Path file = directory.resolve("imatrix.gguf");
        new ImportanceMatrix(
                        new TreeMap<>(Map.of("w", new ImportanceMatrix.Entry(new float[6], new long[] {7, 8}))),
                        List.of("d"),
                        1,
                        2)
                .write(file);

        Gguf gguf = Gguf.read(file);
        assertEquals(Optional.of("imatrix"), gguf.text("general.type"));
        assertEquals(
                List.of(
                        new GgufTensor("w.in_sum2", GgmlType.F32, List.of(3L, 2L)),
                        new GgufTensor("w.counts", GgmlType.F32, List.of(1L, 2L))),
                gguf.tensors());
        assertEquals(GgufValue.uint32(1), gguf.metadata().get("imatrix.chunk_count"));
        assertEquals(GgufValue.uint32(2), gguf.metadata().get("imatrix.chunk_size"));
        assertEquals(GgufValue.Array.ofStrings(List.of("d")), gguf.metadata().get("imatrix.datasets"));
    }

    @Test
    void whatIsNoneIsRefused() throws IOException {
        assertThrows(
                GgufException.NotGguf.class,
                () -> ImportanceMatrix.read(Files.write(directory.resolve("old.dat"), new byte[100])));
        assertThrows(
                GgufException.Mismatch.class, () -> ImportanceMatrix.read(file("model", 1, "w.in_sum2", "w.counts")));
        assertThrows(GgufException.Malformed.class, () -> ImportanceMatrix.read(file("imatrix", 1, "w.in_sum2")));
        assertThrows(GgufException.Malformed.class, () -> ImportanceMatrix.read(file("imatrix", 1, "w.counts")));
        for (float bad : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
            GgufException e = assertThrows(
                    GgufException.Malformed.class,
                    () -> ImportanceMatrix.read(file("imatrix", bad, "w.in_sum2", "w.counts")));
            assertTrue(e.getMessage().contains("sum"), e.getMessage());
        }
        ImportanceMatrix.read(file("imatrix", 1, "w.in_sum2", "w.counts"));
    }

    private Path file(String type, float value, String... names) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>(Map.of("general.type", GgufValue.text(type)));
        List<GgufTensor> tensors = Arrays.stream(names)
                .map(name -> new GgufTensor(name, GgmlType.F32, List.of(1L)))
                .toList();
        Path file = directory.resolve("file.gguf");
        try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
            for (String name : names) {
                writer.begin(name);
                writer.write(
                        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, value));
            }
            writer.commit();
        }
        return file;
    }
}
