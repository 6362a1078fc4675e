package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReaderTest {

    private static final int F32 = 0;
    private static final int Q4_K = 12;

    @Test
    void readsMetadataOfEveryType() throws IOException {
        Gguf gguf = GgufBytes.header(0, 13)
                .string("u8")
                .u32(0)
                .raw(255)
                .string("i8")
                .u32(1)
                .raw(255)
                .string("u16")
                .u32(2)
                .raw(255, 255)
                .string("i16")
                .u32(3)
                .raw(255, 255)
                .keyU32("u32", 0xffffffffL)
                .string("i32")
                .u32(5)
                .u32(-1)
                .string("f32")
                .u32(6)
                .u32(Float.floatToIntBits(1.5f))
                .string("bool")
                .u32(7)
                .raw(1)
                .keyText("string", "grün")
                .string("strings")
                .u32(9)
                .u32(8)
                .u64(2)
                .string("a")
                .string("")
                .string("u64")
                .u32(10)
                .u64(-1)
                .string("i64")
                .u32(11)
                .u64(-1)
                .string("f64")
                .u32(12)
                .u64(Double.doubleToLongBits(-2.5))
                .read();

        assertEquals(OptionalLong.of(255), gguf.integer("u8"));
        assertEquals(OptionalLong.of(-1), gguf.integer("i8"));
        assertEquals(OptionalLong.of(65535), gguf.integer("u16"));
        assertEquals(OptionalLong.of(-1), gguf.integer("i16"));
        assertEquals(OptionalLong.of(4294967295L), gguf.integer("u32"));
        assertEquals(OptionalLong.of(-1), gguf.integer("i32"));
        assertEquals(GgufValue.float32(1.5f), gguf.metadata().get("f32"));
        assertTrue(gguf.flag("bool"));
        assertEquals(Optional.of("grün"), gguf.text("string"));
        assertEquals(
                GgufValue.Array.ofStrings(List.of("a", "")), gguf.metadata().get("strings"));
        assertEquals(
                "18446744073709551615",
                Long.toUnsignedString(gguf.integer("u64").orElseThrow()));
        assertEquals(OptionalLong.of(-1), gguf.integer("i64"));
        assertEquals(
                new GgufValue.Real(GgufValueType.FLOAT64, -2.5), gguf.metadata().get("f64"));
        assertEquals(OptionalLong.empty(), gguf.integer("string"));
        assertEquals(Optional.empty(), gguf.text("absent"));
    }

    @Test
    void readsNestedArrays() throws IOException {
        Gguf gguf = GgufBytes.header(0, 1)
                .string("merges")
                .u32(9)
                .u32(9)
                .u64(2)
                .u32(8)
                .u64(1)
                .string("ab")
                .u32(4)
                .u64(2)
                .u32(7)
                .u32(8)
                .read();

        GgufValue.Array outer = (GgufValue.Array) gguf.metadata().get("merges");
        assertEquals(2, outer.size());
        assertEquals(GgufValue.Array.ofStrings(List.of("ab")), outer.values().get(0));
        assertEquals(
                List.of(GgufValue.uint32(7), GgufValue.uint32(8)),
                ((GgufValue.Array) outer.values().get(1)).values());
    }

    @Test
    void keepsVocabularyEntriesThatAreNotUtf8() throws IOException {
        Gguf gguf = GgufBytes.header(0, 1)
                .string("tokens")
                .u32(9)
                .u32(8)
                .u64(1)
                .u64(2)
                .raw(0xff, 'a')
                .read();
        GgufValue.Array tokens = (GgufValue.Array) gguf.metadata().get("tokens");
        assertEquals(List.of(GgufValue.text("\ufffda")), tokens.values());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void readsTensorsOfBothVersions(int version) throws IOException {
        byte[] bytes = GgufBytes.header(3, 1)
                .keyU32("general.alignment", 64)
                .tensor("a", F32, 0, 3)
                .tensor("b", Q4_K, 64, 256, 2)
                .tensor("c", F32, 64 + 320)
                .data(64, 64 + 320 + 4)
                .bytes();
        bytes[4] = (byte) version;

        Gguf gguf = GgufBytes.read(bytes);

        assertEquals(version, gguf.version());
        assertEquals(
                List.of("a", "b", "c"),
                gguf.tensors().stream().map(GgufTensor::name).toList());
        GgufTensor b = gguf.tensor("b").orElseThrow();
        assertEquals(GgmlType.Q4_K, b.type());
        assertEquals(512, b.elements());
        assertEquals(288, b.bytes());
        assertEquals(0, gguf.dataOffset() % 64);
        assertEquals(gguf.dataOffset() + 64, gguf.offset("b"));
        assertEquals(1, gguf.tensor("c").orElseThrow().elements());
        assertEquals(3 + 512 + 1, gguf.parameters());
        assertEquals(12 + 288 + 4, gguf.tensorBytes());
    }

    @ParameterizedTest
    @EnumSource(GgmlType.class)
    void knowsEachTypeByItsNumber(GgmlType type) {
        assertEquals(Optional.of(type), GgmlType.byId(type.id()));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 31, 32, 33, 36, 37, 38, 43, -1, 1 << 30})
    void refusesUnknownAndRemovedTypes(int type) {
        refused(
                GgufException.Unsupported.class,
                "type",
                GgufBytes.header(1, 0).tensor("a", type, 0, 256).data(32, 4096));
    }

    @Test
    void refusesWhatIsNoGguf() {
        refused(
                GgufException.NotGguf.class,
                "GGUF",
                new GgufBytes().raw('G', 'G', 'M', 'L').u32(3).u64(0).u64(0));
        refused(GgufException.NotGguf.class, "GGUF", new GgufBytes());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, -1, 3 << 24})
    void refusesOtherVersionsAndByteOrders(int version) {
        refused(
                GgufException.Unsupported.class,
                version == 3 << 24 ? "big-endian" : "version",
                new GgufBytes().raw('G', 'G', 'U', 'F').u32(version).u64(0).u64(0));
    }

    @Test
    void refusesCountsThatTheFileDoesNotCover() {
        refused(GgufException.Malformed.class, "tensors", GgufBytes.header(-1, 0));
        refused(GgufException.Malformed.class, "tensors", GgufBytes.header(1L << 40, 0));
        refused(GgufException.Truncated.class, "tensors", GgufBytes.header(60_000, 0));
        refused(GgufException.Malformed.class, "keys", GgufBytes.header(0, Long.MIN_VALUE));
        refused(GgufException.Truncated.class, "keys", GgufBytes.header(0, 60_000));
        refused(
                GgufException.Malformed.class,
                "elements",
                GgufBytes.header(0, 1).string("k").u32(9).u32(4).u64(1L << 62));
        refused(
                GgufException.Truncated.class,
                "elements",
                GgufBytes.header(0, 1).string("k").u32(9).u32(4).u64(1 << 20));
        refused(
                GgufException.Truncated.class,
                "elements",
                GgufBytes.header(0, 1).string("k").u32(9).u32(8).u64(1).u64(1L << 62));
    }

    /** Empty strings too: their lengths are kept, eight bytes each. */
    @Test
    void refusesHeadersThatTakeTooMuchMemory() {
        int half = 3 << 20;
        byte[] start =
                GgufBytes.header(0, 2).string("a").u32(9).u32(8).u64(half).bytes();
        byte[] second = new GgufBytes().string("b").u32(9).u32(8).u64(half).bytes();
        byte[] file = Arrays.copyOf(start, start.length + 8 * half + second.length + 8 * half);
        System.arraycopy(second, 0, file, start.length + 8 * half, second.length);
        GgufException e = assertThrows(GgufException.Malformed.class, () -> GgufBytes.read(file));
        assertTrue(e.getMessage().contains("before the weights takes more than 32 MiB"), e.getMessage());
    }

    @Test
    void refusesMoreLayersThanAreEverLoaded() {
        GgufException e = assertThrows(
                GgufException.Unsupported.class,
                () -> LayeredModel.of(
                        Map.of(),
                        OptionalLong.empty(),
                        Stream.of(new GgufTensor("blk.512.attn_norm.weight", GgmlType.F32, List.of(1L)))));
        assertTrue(e.getMessage().contains("more than 512 layers"), e.getMessage());
    }

    @Test
    void refusesStringsThatAreTooLongOrNotUtf8() {
        refused(
                GgufException.Malformed.class,
                "key",
                GgufBytes.header(0, 1).u64(65536).data(1, 70_000));
        refused(
                GgufException.Malformed.class,
                "key",
                GgufBytes.header(0, 1).u64(-1).data(1, 100));
        refused(
                GgufException.Malformed.class,
                "UTF-8",
                GgufBytes.header(0, 1).u64(2).raw(0xc3, 0x28).u32(0).raw(0, 0));
        refused(
                GgufException.Malformed.class,
                "empty",
                GgufBytes.header(0, 1).string("").u32(0).raw(0, 0));
        refused(
                GgufException.Malformed.class,
                "control",
                GgufBytes.header(0, 1).string("a\0b").u32(0).raw(0));
        refused(
                GgufException.Malformed.class,
                "UTF-8",
                GgufBytes.header(0, 1).string("k").u32(8).u64(1).raw(0xff));
        refused(
                GgufException.Malformed.class,
                "name",
                GgufBytes.header(1, 0).tensor("x".repeat(64), F32, 0, 1).data(32, 4));
        refused(
                GgufException.Malformed.class,
                "name",
                GgufBytes.header(1, 0).tensor("", F32, 0, 1).data(32, 4));
        refused(
                GgufException.Malformed.class,
                "control",
                GgufBytes.header(1, 0).tensor("a\0", F32, 0, 1).data(32, 4));
    }

    @Test
    void refusesBadValues() {
        refused(
                GgufException.Unsupported.class,
                "value type",
                GgufBytes.header(0, 1).string("k").u32(13).u64(0));
        refused(
                GgufException.Malformed.class,
                "boolean",
                GgufBytes.header(0, 1).string("k").u32(7).raw(2));
        refused(
                GgufException.Malformed.class,
                "boolean",
                GgufBytes.header(0, 1).string("k").u32(9).u32(7).u64(2).raw(1, 2));
        GgufBytes deep = GgufBytes.header(0, 1).string("k").u32(9);
        for (int i = 0; i < 100; i++) {
            deep.u32(9).u64(1);
        }
        refused(GgufException.Malformed.class, "nests", deep.u32(0).u64(0));
    }

    @Test
    void refusesDuplicates() {
        refused(
                GgufException.Malformed.class,
                "twice",
                GgufBytes.header(0, 2).keyU32("k", 1).keyU32("k", 1));
        refused(
                GgufException.Malformed.class,
                "twice",
                GgufBytes.header(2, 0)
                        .tensor("a", F32, 0, 8)
                        .tensor("a", F32, 32, 8)
                        .data(32, 64));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 12, 33, 48, -1, 1 << 21})
    void refusesAlignmentsThatAreNoSmallPowerOfTwo(int alignment) {
        refused(
                GgufException.Malformed.class,
                "general.alignment",
                GgufBytes.header(1, 1)
                        .keyU32("general.alignment", alignment)
                        .tensor("a", F32, 0, 1)
                        .data(32, 64));
    }

    @Test
    void refusesAnAlignmentOfAnotherType() {
        refused(
                GgufException.Malformed.class,
                "general.alignment",
                GgufBytes.header(0, 1).string("general.alignment").u32(10).u64(32));
    }

    @Test
    void refusesShapesThatOverflowOrAreEmpty() {
        refused(
                GgufException.Malformed.class,
                "multiply",
                GgufBytes.header(1, 0).tensor("a", F32, 0, 1L << 32, 1L << 32).data(32, 64));
        refused(
                GgufException.Malformed.class,
                "multiply",
                GgufBytes.header(1, 0)
                        .tensor("a", F32, 0, 1L << 16, 1L << 16, 1L << 16, 1L << 16)
                        .data(32, 64));
        refused(
                GgufException.Malformed.class,
                "multiply",
                GgufBytes.header(1, 0).tensor("a", F32, 0, Long.MAX_VALUE).data(32, 64));
        refused(
                GgufException.Malformed.class,
                "dimension",
                GgufBytes.header(1, 0).tensor("a", F32, 0, -1).data(32, 64));
        refused(
                GgufException.Malformed.class,
                "dimension",
                GgufBytes.header(1, 0).tensor("a", F32, 0, 4, 0).data(32, 64));
        refused(
                GgufException.Malformed.class,
                "dimensions",
                GgufBytes.header(1, 0).tensor("a", F32, 0, 1, 1, 1, 1, 1).data(32, 64));
    }

    @Test
    void refusesRowsThatAreNoWholeBlocks() {
        refused(
                GgufException.Malformed.class,
                "block",
                GgufBytes.header(1, 0).tensor("a", Q4_K, 0, 128, 2).data(32, 4096));
    }

    @Test
    void refusesTensorsPastTheEndOfTheFile() {
        refused(
                GgufException.Truncated.class,
                "cut off",
                GgufBytes.header(1, 0).tensor("a", F32, 0, 16).data(32, 63));
        refused(
                GgufException.Truncated.class,
                "cut off",
                GgufBytes.header(1, 0).tensor("a", F32, 0, 1L << 59).data(32, 64));
        refused(
                GgufException.Truncated.class,
                "past the end",
                GgufBytes.header(2, 0)
                        .tensor("a", F32, 0, 8)
                        .tensor("b", F32, 1L << 40, 8)
                        .data(32, 64));
        refused(
                GgufException.Truncated.class,
                "past the end",
                GgufBytes.header(1, 0).tensor("a", F32, -32, 8).data(32, 64));
    }

    @Test
    void refusesTensorsThatOverlapOrAreMisplaced() {
        refused(
                GgufException.Malformed.class,
                "overlaps",
                GgufBytes.header(2, 0)
                        .tensor("a", F32, 0, 16)
                        .tensor("b", F32, 32, 16)
                        .data(32, 160));
        refused(
                GgufException.Malformed.class,
                "gap",
                GgufBytes.header(2, 0)
                        .tensor("a", F32, 0, 8)
                        .tensor("b", F32, 64, 8)
                        .data(32, 160));
        refused(
                GgufException.Malformed.class,
                "aligned",
                GgufBytes.header(2, 0)
                        .tensor("a", F32, 0, 8)
                        .tensor("b", F32, 33, 8)
                        .data(32, 160));
    }

    private static void refused(Class<? extends GgufException> kind, String word, GgufBytes file) {
        GgufException e = assertThrows(kind, file::read);
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }
}
