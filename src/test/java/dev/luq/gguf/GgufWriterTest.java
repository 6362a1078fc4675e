package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {

    private static final GgufTensor FIRST = new GgufTensor("first", GgmlType.F32, List.of(3L));
    private static final GgufTensor SECOND = new GgufTensor("second", GgmlType.Q8_0, List.of(32L, 2L));

    @TempDir
    Path directory;

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.alignment", GgufValue.uint32(64));
        metadata.put("name", GgufValue.text("grün"));
        metadata.put("flag", GgufValue.bool(true));
        metadata.put("half", GgufValue.float32(0.5f));
        metadata.put("double", new GgufValue.Real(GgufValueType.FLOAT64, Math.PI));
        metadata.put("i16", new GgufValue.Int(GgufValueType.INT16, -7));
        metadata.put(
                "nested",
                GgufValue.Array.of(
                        GgufValueType.ARRAY,
                        List.of(
                                GgufValue.Array.ofStrings(List.of("a", "b")),
                                GgufValue.Array.of(GgufValueType.BOOL, List.of()))));
        Path file = directory.resolve("model.gguf");

        try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(FIRST, SECOND))) {
            writer.begin("first");
            writer.write(bytes(12, 1));
            writer.begin("second");
            writer.write(bytes(34, 2));
            writer.write(bytes(34, 3));
            writer.commit();
        }

        Gguf gguf = Gguf.read(file);
        assertEquals(metadata, gguf.metadata());
        assertEquals(List.copyOf(metadata.keySet()), List.copyOf(gguf.metadata().keySet()));
        assertEquals(List.of(FIRST, SECOND), gguf.tensors());
        byte[] all = Files.readAllBytes(file);
        int first = (int) gguf.offset("first");
        int second = (int) gguf.offset("second");
        assertEquals(0, second % 64);
        assertArrayEquals(bytes(12, 1).array(), Arrays.copyOfRange(all, first, first + 12));
        assertArrayEquals(bytes(34, 3).array(), Arrays.copyOfRange(all, second + 34, second + 68));
    }

    @Test
    void nothingIsVisibleBeforeCommitAndNothingIsLeftWithoutIt() throws IOException {
        Path file = Files.writeString(directory.resolve("model.gguf"), "old");
        try (GgufWriter writer = GgufWriter.create(file, Map.of(), List.of(FIRST))) {
            writer.begin("first");
            writer.write(bytes(12, 1));
            assertEquals("old", Files.readString(file));
        }
        assertEquals("old", Files.readString(file));
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void insistsOnTheTablesOrderAndSizes() throws IOException {
        try (GgufWriter writer = GgufWriter.create(directory.resolve("m.gguf"), Map.of(), List.of(FIRST, SECOND))) {
            assertThrows(IllegalStateException.class, () -> writer.begin("second"));
            writer.begin("first");
            assertThrows(IllegalStateException.class, () -> writer.write(bytes(13, 1)));
            writer.write(bytes(11, 1));
            assertThrows(IllegalStateException.class, () -> writer.begin("second"));
            assertThrows(IllegalStateException.class, writer::commit);
            writer.write(bytes(1, 1));
            assertThrows(IllegalStateException.class, writer::commit);
        }
    }

    @Test
    void refusesWhatTheReaderWouldRefuse() {
        Path file = directory.resolve("m.gguf");
        assertThrows(GgufException.Malformed.class, () -> GgufWriter.create(file, Map.of(), List.of(FIRST, FIRST)));
        assertThrows(
                GgufException.Malformed.class,
                () -> GgufWriter.create(file, Map.of("", GgufValue.bool(true)), List.of()));
        assertThrows(
                GgufException.Malformed.class,
                () -> GgufWriter.create(file, Map.of("general.alignment", GgufValue.uint32(33)), List.of()));
        assertThrows(GgufException.Malformed.class, () -> new GgufTensor("x", GgmlType.Q4_K, List.of(255L)));
    }

    private static ByteBuffer bytes(int count, int value) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }
}
