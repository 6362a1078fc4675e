package dev.luq.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A typed metadata value. Immutable. */
public sealed interface GgufValue {

    GgufValueType type();

    /**
     * @param type one of the eight integer types
     * @param value as a Java long; UINT64 values above {@link Long#MAX_VALUE} appear negative
     */
    record Int(GgufValueType type, long value) implements GgufValue {
        public Int {
            if (!type.isInteger()) {
                throw new IllegalArgumentException(type + " is not an integer type");
            }
        }
    }

    /** @param type FLOAT32 or FLOAT64 */
    record Real(GgufValueType type, double value) implements GgufValue {
        public Real {
            if (type != GgufValueType.FLOAT32 && type != GgufValueType.FLOAT64) {
                throw new IllegalArgumentException(type + " is not a floating-point type");
            }
        }
    }

    record Bool(boolean value) implements GgufValue {
        @Override
        public GgufValueType type() {
            return GgufValueType.BOOL;
        }
    }

    record Text(String value) implements GgufValue {
        @Override
        public GgufValueType type() {
            return GgufValueType.STRING;
        }
    }

    static GgufValue uint32(long value) {
        return new Int(GgufValueType.UINT32, value);
    }

    static GgufValue float32(float value) {
        return new Real(GgufValueType.FLOAT32, value);
    }

    static GgufValue text(String value) {
        return new Text(value);
    }

    static GgufValue bool(boolean value) {
        return new Bool(value);
    }

    /**
     * An array as it lies in the file: a vocabulary of 150 000 strings takes 3 MB here instead of the 15 MB of as many
     * Java objects, and copies are exact even where a string is not UTF-8.
     */
    final class Array implements GgufValue {
        private final GgufValueType elementType;
        private final int size;
        private final byte[] content;

        /** @param content valid content of {@code size} elements; not copied */
        Array(GgufValueType elementType, int size, byte[] content) {
            this.elementType = elementType;
            this.size = size;
            this.content = content;
        }

        public static Array ofStrings(List<String> values) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            for (String value : values) {
                GgufEncoder.string(content, value);
            }
            return new Array(GgufValueType.STRING, values.size(), content.toByteArray());
        }

        /** @param values of the element type; arrays may nest */
        public static Array of(GgufValueType elementType, List<? extends GgufValue> values) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            for (GgufValue value : values) {
                if (value.type() != elementType) {
                    throw new IllegalArgumentException("a " + value.type() + " in an array of " + elementType);
                }
                GgufEncoder.content(content, value);
            }
            return new Array(elementType, values.size(), content.toByteArray());
        }

        @Override
        public GgufValueType type() {
            return GgufValueType.ARRAY;
        }

        public GgufValueType elementType() {
            return elementType;
        }

        public int size() {
            return size;
        }

        byte[] content() {
            return content;
        }

        /** The elements as they lie in the file; read-only. */
        public ByteBuffer bytes() {
            return ByteBuffer.wrap(content).asReadOnlyBuffer();
        }

        /** Decodes all elements; bytes of strings that are not UTF-8 are replaced by U+FFFD. */
        public List<GgufValue> values() {
            ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
            List<GgufValue> values = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                values.add(decode(elementType, in));
            }
            return Collections.unmodifiableList(values);
        }

        /** @param in wraps a whole array */
        @SuppressWarnings("ByteBufferBackingArray")
        private static GgufValue decode(GgufValueType type, ByteBuffer in) {
            return switch (type) {
                case STRING -> {
                    byte[] bytes = new byte[Math.toIntExact(in.getLong())];
                    in.get(bytes);
                    yield new Text(new String(bytes, StandardCharsets.UTF_8));
                }
                case ARRAY -> {
                    GgufValueType elementType = GgufValueType.byId(in.getInt()).orElseThrow();
                    int size = Math.toIntExact(in.getLong());
                    int start = in.position();
                    for (int i = 0; i < size; i++) {
                        decode(elementType, in);
                    }
                    yield new Array(elementType, size, Arrays.copyOfRange(in.array(), start, in.position()));
                }
                default -> scalar(type, in);
            };
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Array that
                    && elementType == that.elementType
                    && size == that.size
                    && Arrays.equals(content, that.content);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(content) * 31 + elementType.hashCode();
        }

        @Override
        public String toString() {
            return elementType + "[" + size + "]";
        }
    }

    /**
     * Takes one value of a fixed-size type from a little-endian buffer.
     *
     * @throws GgufException.Malformed for a boolean that is neither 0 nor 1
     */
    static GgufValue scalar(GgufValueType type, ByteBuffer in) {
        return switch (type) {
            case UINT8 -> new Int(type, in.get() & 0xff);
            case INT8 -> new Int(type, in.get());
            case UINT16 -> new Int(type, in.getShort() & 0xffff);
            case INT16 -> new Int(type, in.getShort());
            case UINT32 -> new Int(type, in.getInt() & 0xffffffffL);
            case INT32 -> new Int(type, in.getInt());
            case UINT64, INT64 -> new Int(type, in.getLong());
            case FLOAT32 -> new Real(type, in.getFloat());
            case FLOAT64 -> new Real(type, in.getDouble());
            case BOOL -> {
                byte value = in.get();
                if (value != 0 && value != 1) {
                    throw new GgufException.Malformed("A boolean in the metadata is neither 0 nor 1.");
                }
                yield new Bool(value == 1);
            }
            case STRING, ARRAY -> throw new IllegalArgumentException(type + " has no fixed size");
        };
    }
}
