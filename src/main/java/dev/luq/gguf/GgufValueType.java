package dev.luq.gguf;

import java.util.Optional;

/** Types of metadata values; the ordinal is the number in the file. */
public enum GgufValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final GgufValueType[] VALUES = values();

    private final int minimumBytes;

    GgufValueType(int minimumBytes) {
        this.minimumBytes = minimumBytes;
    }

    static Optional<GgufValueType> byId(int id) {
        return id >= 0 && id < VALUES.length ? Optional.of(VALUES[id]) : Optional.empty();
    }

    int id() {
        return ordinal();
    }

    /** Bytes of a value; for strings and arrays those of an empty one. */
    int minimumBytes() {
        return minimumBytes;
    }

    boolean isFixedSize() {
        return this != STRING && this != ARRAY;
    }

    boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            default -> false;
        };
    }
}
