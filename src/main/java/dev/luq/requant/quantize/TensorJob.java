package dev.luq.requant.quantize;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One tensor to quantize or copy.
 *
 * @param source what the base file has
 * @param file where it lies
 * @param offset of its data in that file, in bytes
 * @param type what it becomes
 * @param importance mean squares per column and matrix; null for equal importance
 */
record TensorJob(GgufTensor source, Path file, long offset, GgmlType type, float[] importance) {

    boolean isCopy() {
        return type == source.type();
    }

    GgufTensor target() {
        return new GgufTensor(source.name(), type, source.shape());
    }

    int columns() {
        return Math.toIntExact(source.extent(0));
    }

    long rows() {
        return source.elements() / source.extent(0);
    }

    /** Rows that share importances: those of one matrix of a stack, such as one expert. */
    long rowsPerMatrix() {
        return source.extent(1);
    }

    /** {@link #importance} of the matrix that a row belongs to. */
    float[] importanceOf(long row) {
        if (importance == null || importance.length == columns()) {
            return importance;
        }
        int from = Math.toIntExact(row / rowsPerMatrix() * columns());
        return Arrays.copyOfRange(importance, from, from + columns());
    }
}
