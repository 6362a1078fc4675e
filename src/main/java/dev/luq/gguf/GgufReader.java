package dev.luq.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads one file from its start up to the tensor data, in one pass. Each count and length is compared with the bytes
 * left before anything is allocated for it, and all that is read takes at most {@link #MAX_HEADER_BYTES}
 * of the file. Not thread-safe; used once.
 */
final class GgufReader {

    /**
     * Of the file, metadata and table of tensors. Vocabularies are the most of it: 262 144 tokens with merges take about
     * 20 MB. While a value is read it takes up to three times its bytes, and a server's heap may have 128 MiB.
     */
    static final int MAX_HEADER_BYTES = 32 << 20;
    /** A tokenizer as its makers publish it takes some 10 MB. */
    static final int MAX_TEXT_BYTES = 16 << 20;
    /** Real files have some hundred keys, and about a thousand tensors; some mixture-of-experts models a few thousand. */
    static final int MAX_KEYS = 1 << 16;

    static final int MAX_TENSORS = 1 << 16;
    private static final int MAX_KEY_BYTES = 65535;
    private static final int MAX_ARRAY_DEPTH = 4;
    private static final int MAX_ALIGNMENT = 1 << 20;
    static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    /** An info with a one-byte name and no dimension. */
    private static final int MIN_TENSOR_INFO_BYTES = 8 + 1 + 4 + 4 + 8;
    /** A pair with a one-byte key and a one-byte value. */
    private static final int MIN_PAIR_BYTES = 8 + 1 + 4 + 1;

    private final ReadableByteChannel channel;
    private final long size;
    private final ByteBuffer buffer =
            ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long consumed;

    /** @param size bytes that the channel holds from its current position, which is the start of the file */
    GgufReader(ReadableByteChannel channel, long size) {
        this.channel = channel;
        this.size = size;
    }

    Gguf read() throws IOException {
        int version = header();
        long tensorCount = count("tensors", MAX_TENSORS, MIN_TENSOR_INFO_BYTES);
        long keyCount = count("metadata keys", MAX_KEYS, MIN_PAIR_BYTES);
        Map<String, GgufValue> metadata = metadata(keyCount);
        int alignment = alignment(metadata);
        List<GgufTensor> tensors = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        tensorInfos(tensorCount, tensors, offsets);
        long dataOffset = tensors.isEmpty() ? consumed : pad(consumed, alignment);
        return new Gguf(version, metadata, tensors, place(tensors, offsets, dataOffset, alignment), dataOffset);
    }

    private int header() throws IOException {
        if (size < 4 || u32("magic") != MAGIC) {
            throw new GgufException.NotGguf("This is not a GGUF file: it does not start with \"GGUF\".");
        }
        int version = u32("version");
        if (version != 0 && (version & 0xffff) == 0) {
            throw new GgufException.Unsupported("This GGUF file is big-endian; convert it to little-endian first.");
        }
        if (version != 2 && version != 3) {
            throw new GgufException.Unsupported(
                    "GGUF version " + Integer.toUnsignedString(version) + " is not supported; versions 2 and 3 are.");
        }
        return version;
    }

    private long count(String what, int maximum, int minimumBytes) throws IOException {
        long count = u64("the number of " + what);
        if (count < 0 || count > maximum) {
            throw new GgufException.Malformed("The file claims " + Long.toUnsignedString(count) + " " + what
                    + "; at most " + maximum + " are allowed.");
        }
        need(count * minimumBytes, "its " + count + " " + what);
        return count;
    }

    private Map<String, GgufValue> metadata(long count) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            String key = key();
            if (metadata.containsKey(key)) {
                throw new GgufException.Malformed("Metadata key " + key + " appears twice.");
            }
            metadata.put(key, value(key));
        }
        return metadata;
    }

    private String key() throws IOException {
        String key = strictString("a metadata key", MAX_KEY_BYTES);
        checkKey(key);
        return key;
    }

    static void checkKey(String key) {
        if (key.isEmpty() || key.chars().anyMatch(Character::isISOControl)) {
            throw new GgufException.Malformed("A metadata key is empty or contains a control character.");
        }
    }

    private GgufValue value(String key) throws IOException {
        GgufValueType type = valueType(key);
        return switch (type) {
            case STRING -> new GgufValue.Text(strictString("the value of " + key, MAX_TEXT_BYTES));
            case ARRAY -> array(key);
            default -> {
                fill(type.minimumBytes(), "the value of " + key);
                consume(type.minimumBytes());
                yield GgufValue.scalar(type, buffer);
            }
        };
    }

    private GgufValueType valueType(String key) throws IOException {
        int id = u32("the type of " + key);
        return GgufValueType.byId(id)
                .orElseThrow(() -> new GgufException.Unsupported(
                        "Metadata key " + key + " has the unknown value type " + Integer.toUnsignedString(id) + "."));
    }

    private GgufValue.Array array(String key) throws IOException {
        GgufValueType elementType = valueType(key);
        int length = arrayLength(elementType, key);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        elements(elementType, length, key, 1, content);
        return new GgufValue.Array(elementType, length, content.toByteArray());
    }

    private int arrayLength(GgufValueType elementType, String key) throws IOException {
        long length = u64("the length of " + key);
        if (length < 0 || length > MAX_HEADER_BYTES / elementType.minimumBytes()) {
            throw new GgufException.Malformed("Metadata key " + key + " claims " + Long.toUnsignedString(length)
                    + " elements; all that stands before the weights may take " + (MAX_HEADER_BYTES >> 20) + " MiB.");
        }
        need(length * elementType.minimumBytes(), "the elements of " + key);
        return (int) length;
    }

    /** Checks {@code count} elements and copies them to {@code content} as they lie in the file. */
    private void elements(GgufValueType type, int count, String key, int depth, ByteArrayOutputStream content)
            throws IOException {
        if (type.isFixedSize()) {
            byte[] bytes = bytes((long) count * type.minimumBytes(), "the elements of " + key);
            if (type == GgufValueType.BOOL) {
                checkBooleans(bytes, key);
            }
            content.writeBytes(bytes);
            return;
        }
        if (depth > MAX_ARRAY_DEPTH) {
            throw new GgufException.Malformed(
                    "Metadata key " + key + " nests arrays deeper than " + MAX_ARRAY_DEPTH + ".");
        }
        for (int i = 0; i < count; i++) {
            if (type == GgufValueType.STRING) {
                long length = u64("the elements of " + key);
                byte[] bytes = bytes(length, "the elements of " + key);
                GgufEncoder.u64(content, length);
                content.writeBytes(bytes);
            } else {
                GgufValueType inner = valueType(key);
                int length = arrayLength(inner, key);
                GgufEncoder.u32(content, inner.id());
                GgufEncoder.u64(content, length);
                elements(inner, length, key, depth + 1, content);
            }
        }
    }

    private static void checkBooleans(byte[] bytes, String key) {
        for (byte b : bytes) {
            if (b != 0 && b != 1) {
                throw new GgufException.Malformed("Metadata key " + key + " holds a boolean that is neither 0 nor 1.");
            }
        }
    }

    static int alignment(Map<String, GgufValue> metadata) {
        GgufValue value = metadata.get(Gguf.ALIGNMENT_KEY);
        if (value == null) {
            return Gguf.DEFAULT_ALIGNMENT;
        }
        if (!(value instanceof GgufValue.Int alignment)
                || alignment.type() != GgufValueType.UINT32
                || alignment.value() < 8
                || alignment.value() > MAX_ALIGNMENT
                || Long.bitCount(alignment.value()) != 1) {
            throw new GgufException.Malformed(
                    Gguf.ALIGNMENT_KEY + " must be a UINT32 that is a power of two from 8 to " + MAX_ALIGNMENT + ".");
        }
        return (int) alignment.value();
    }

    private void tensorInfos(long count, List<GgufTensor> tensors, List<Long> offsets) throws IOException {
        Set<String> names = new HashSet<>();
        for (long i = 0; i < count; i++) {
            String name = strictString("a tensor's name", GgufTensor.MAX_NAME_BYTES);
            if (!names.add(name)) {
                throw new GgufException.Malformed("Tensor " + name + " appears twice.");
            }
            List<Long> shape = shape(name);
            int typeId = u32("the type of tensor " + name);
            GgmlType type = GgmlType.byId(typeId)
                    .orElseThrow(() -> new GgufException.Unsupported("Tensor " + name
                            + " has the unknown or removed type " + Integer.toUnsignedString(typeId) + "."));
            tensors.add(new GgufTensor(name, type, shape));
            offsets.add(u64("the offset of tensor " + name));
        }
    }

    private List<Long> shape(String name) throws IOException {
        int rank = u32("the dimensions of tensor " + name);
        if (rank < 0 || rank > GgufTensor.MAX_RANK) {
            throw new GgufException.Malformed("Tensor " + name + " has " + Integer.toUnsignedString(rank)
                    + " dimensions; at most " + GgufTensor.MAX_RANK + " are allowed.");
        }
        List<Long> shape = new ArrayList<>(rank);
        for (int i = 0; i < rank; i++) {
            shape.add(u64("the dimensions of tensor " + name));
        }
        return shape;
    }

    /**
     * Tensors lie one behind the other, each padded to the alignment. That one rule, which llama.cpp has too, settles
     * alignment, overlaps and gaps.
     *
     * @return where each tensor's data starts, from the start of the file
     */
    private List<Long> place(List<GgufTensor> tensors, List<Long> offsets, long dataOffset, int alignment) {
        List<Long> placed = new ArrayList<>();
        long expected = 0;
        for (int i = 0; i < tensors.size(); i++) {
            GgufTensor tensor = tensors.get(i);
            checkOffset(tensor, offsets.get(i), expected, alignment);
            // INVARIANT: expected <= size and bytes <= Long.MAX_VALUE, compared without adding them up.
            if (tensor.bytes() > size - dataOffset - expected) {
                throw new GgufException.Truncated("Tensor " + tensor.name() + " needs " + tensor.bytes()
                        + " bytes but only " + Math.max(0, size - dataOffset - expected) + " of the file's " + size
                        + " are left for it: the file is cut off or its table is wrong.");
            }
            placed.add(dataOffset + expected);
            expected = pad(expected + tensor.bytes(), alignment);
        }
        return placed;
    }

    private void checkOffset(GgufTensor tensor, long offset, long expected, int alignment) {
        if (offset == expected) {
            return;
        }
        String detail = "its data is at offset " + Long.toUnsignedString(offset) + ", expected at " + expected;
        if (offset < 0 || offset > size) {
            throw new GgufException.Truncated(
                    "Tensor " + tensor.name() + " lies past the end of the file: " + detail + ".");
        }
        String fault = offset % alignment != 0
                ? " is not aligned to " + alignment + " bytes: "
                : offset < expected ? " overlaps the tensor before it: " : " leaves a gap to the tensor before it: ";
        throw new GgufException.Malformed("Tensor " + tensor.name() + fault + detail + ".");
    }

    /** Smallest multiple of the alignment from this value on; both are far from overflow. */
    static long pad(long value, int alignment) {
        return (value + alignment - 1) / alignment * alignment;
    }

    private String strictString(String what, int maximumBytes) throws IOException {
        long length = u64(what);
        if (length < 0 || length > maximumBytes) {
            throw new GgufException.Malformed("The length of " + what + " is " + Long.toUnsignedString(length)
                    + " bytes; at most " + maximumBytes + " are allowed.");
        }
        byte[] bytes = bytes(length, what);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new GgufException.Malformed("The bytes of " + what + " are not UTF-8.");
        }
    }

    private byte[] bytes(long length, String what) throws IOException {
        if (length < 0 || length > size - consumed) {
            need(Long.MAX_VALUE, what);
        }
        requireRoom(length);
        byte[] bytes = new byte[(int) length];
        int done = 0;
        while (done < bytes.length) {
            fill(1, what);
            int part = Math.min(buffer.remaining(), bytes.length - done);
            buffer.get(bytes, done, part);
            done += part;
            consume(part);
        }
        return bytes;
    }

    private int u32(String what) throws IOException {
        fill(4, what);
        consume(4);
        return buffer.getInt();
    }

    private long u64(String what) throws IOException {
        fill(8, what);
        consume(8);
        return buffer.getLong();
    }

    private void consume(int bytes) {
        requireRoom(bytes);
        consumed += bytes;
    }

    private void requireRoom(long bytes) {
        if (bytes > MAX_HEADER_BYTES - consumed) {
            throw new GgufException.Malformed(
                    "What stands before the weights takes more than " + (MAX_HEADER_BYTES >> 20) + " MiB.");
        }
    }

    /** Has at least {@code bytes} (at most 8) in the buffer. */
    private void fill(int bytes, String what) throws IOException {
        need(bytes, what);
        if (buffer.remaining() >= bytes) {
            return;
        }
        buffer.compact();
        while (buffer.position() < bytes) {
            if (channel.read(buffer) < 0) {
                throw new GgufException.Truncated("The file became shorter while it was read.");
            }
        }
        buffer.flip();
    }

    private void need(long bytes, String what) {
        if (bytes > size - consumed) {
            throw new GgufException.Truncated("The file ends inside " + what + ".");
        }
    }
}
