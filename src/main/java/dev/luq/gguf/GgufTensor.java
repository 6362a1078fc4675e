package dev.luq.gguf;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A tensor's entry in the table. Every instance is consistent: its shape does not overflow and its rows are whole
 * blocks.
 *
 * @param name 1 to 63 bytes of UTF-8 without control characters
 * @param type the type of all its elements
 * @param shape 0 to 4 extents, each 1 or more, the row length first
 */
public record GgufTensor(String name, GgmlType type, List<Long> shape) {

    /** ggml keeps names in 64 bytes, the last one 0. */
    static final int MAX_NAME_BYTES = 63;

    static final int MAX_RANK = 4;

    /** @throws GgufException.Malformed when name, shape and type contradict these rules */
    public GgufTensor {
        shape = List.copyOf(shape);
        checkName(name);
        checkShape(name, type, shape);
    }

    private static void checkName(String name) {
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > MAX_NAME_BYTES) {
            throw new GgufException.Malformed(
                    "A tensor's name has " + length + " bytes; 1 to " + MAX_NAME_BYTES + " are allowed.");
        }
        if (name.chars().anyMatch(Character::isISOControl)) {
            throw new GgufException.Malformed("A tensor's name contains a control character.");
        }
    }

    private static void checkShape(String name, GgmlType type, List<Long> shape) {
        if (shape.size() > MAX_RANK) {
            throw new GgufException.Malformed(
                    "Tensor " + name + " has " + shape.size() + " dimensions; at most " + MAX_RANK + " are allowed.");
        }
        long elements = 1;
        for (long extent : shape) {
            if (extent < 1) {
                throw new GgufException.Malformed(
                        "Tensor " + name + " has a dimension of " + Long.toUnsignedString(extent) + " elements.");
            }
            // INVARIANT: elements * 8 bytes (the widest type) fits a long, so no size computed below overflows.
            if (extent > Long.MAX_VALUE / 8 / elements) {
                throw new GgufException.Malformed(
                        "The dimensions of tensor " + name + " multiply to more than " + "a file can hold.");
            }
            elements *= extent;
        }
        long row = shape.isEmpty() ? 1 : shape.get(0);
        if (row % type.blockSize() != 0) {
            throw new GgufException.Malformed("Tensor " + name + " has rows of " + row + " elements, not a multiple of "
                    + type + "'s block of " + type.blockSize() + ".");
        }
    }

    /** Number of weights. */
    public long elements() {
        long elements = 1;
        for (long extent : shape) {
            elements *= extent;
        }
        return elements;
    }

    /** Bytes of the data, without padding. */
    public long bytes() {
        return elements() / type.blockSize() * type.blockBytes();
    }

    /** @param dimension 0 is the row length; 1 for dimensions past the rank, as in ggml */
    public long extent(int dimension) {
        return dimension < shape.size() ? shape.get(dimension) : 1;
    }
}
