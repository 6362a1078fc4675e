package dev.luq.llama;

import dev.luq.gguf.GgmlType;
import dev.luq.preset.ggml_to_float_t;
import dev.luq.preset.global.llama;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Turns rows of weights of one type into another, a slice of rows at a time: IQ1_M, IQ2 and IQ3 with the search of
 * {@code native/quantize}, which finds blocks of less error than ggml's code; other types with that, which gives what
 * {@code llama-quantize} gives. Rows are independent of each other: slices of any size lead to the same bytes, and so does
 * any CPU where the search makes them. Holds native memory for one slice; for one thread at a time. {@link Llama#init}
 * comes first.
 */
public final class Quantizer implements AutoCloseable {

    private final GgmlType source;
    private final GgmlType target;
    private final int columns;
    private final FloatPointer floats;
    private final FloatPointer importance;
    private boolean closed;

    private Quantizer(GgmlType source, GgmlType target, int columns, int maxRows, float[] importance) {
        this.source = source;
        this.target = target;
        this.columns = columns;
        this.floats = new FloatPointer((long) maxRows * columns);
        this.importance = importance == null ? null : new FloatPointer(importance);
    }

    /**
     * @param columns weights of a row, a multiple of both types' blocks
     * @param maxRows rows of the largest slice
     * @param importance weight of each column when errors are compared, {@code columns} values; null for equal weights.
     *     Copied
     * @throws IllegalArgumentException when the sizes do not fit, or ggml cannot make the target type without importances
     */
    public static Quantizer create(GgmlType source, GgmlType target, int columns, int maxRows, float[] importance) {
        if (columns < 1 || maxRows < 1 || columns % source.blockSize() != 0 || columns % target.blockSize() != 0) {
            throw new IllegalArgumentException(
                    "rows of " + columns + " weights are not whole blocks of " + source + " and " + target);
        }
        if (importance != null && importance.length != columns) {
            throw new IllegalArgumentException(importance.length + " importances for " + columns + " columns");
        }
        if (importance == null && llama.ggml_quantize_requires_imatrix(target.id())) {
            throw new IllegalArgumentException(target + " needs importances");
        }
        return new Quantizer(source, target, columns, maxRows, importance);
    }

    /**
     * Computes the tables of a type, once per process; a tenth of a second for the types that are searched for, seconds for
     * IQ1_S, nothing for others. Quantizing does it too, but while it lasts no thread can quantize.
     */
    public static void prepare(GgmlType target) {
        if (searchVersion(target) > 0) {
            search(target, null, null, 0, target.blockSize(), null);
        } else {
            llama.ggml_quantize_init(target.id());
        }
    }

    /**
     * The version of the search that makes a type's blocks: the same weights and importances lead to the same blocks with
     * the same version. 0 where ggml makes them.
     */
    public static int searchVersion(GgmlType target) {
        return llama.luq_quantize_version(target.id());
    }

    /** What decides the blocks that weights lead to, beside llama.cpp: the versions of the search by type. */
    public static String method() {
        return Arrays.stream(GgmlType.values())
                .filter(type -> searchVersion(type) > 0)
                .map(type -> type + " " + searchVersion(type))
                .collect(Collectors.joining(", "));
    }

    private static void search(
            GgmlType target, FloatPointer weights, Pointer blocks, int rows, int columns, FloatPointer importance) {
        if (!llama.luq_quantize_rows(target.id(), weights, blocks, rows, columns, importance)) {
            throw new IllegalStateException(Native.lastError());
        }
    }

    /**
     * Quantizes whole rows.
     *
     * @param rows direct; consumed up to its limit
     * @param out direct; filled from its position, which moves on
     * @return false when a weight is not a finite number, on either side; {@code out} is then worthless
     */
    public boolean quantize(ByteBuffer rows, ByteBuffer out) {
        requireOpen();
        long rowBytes = (long) columns / source.blockSize() * source.blockBytes();
        int count = Math.toIntExact(rows.remaining() / rowBytes);
        long outBytes = (long) columns / target.blockSize() * target.blockBytes() * count;
        if (rows.remaining() % rowBytes != 0
                || (long) count * columns > floats.capacity()
                || out.remaining() < outBytes) {
            throw new IllegalArgumentException("not a slice of at most " + floats.capacity() / columns + " rows");
        }
        try (BytePointer in = pointer(rows);
                BytePointer blocks = pointer(out)) {
            if (!llama.ggml_validate_row_data(source.id(), in, rows.remaining())) {
                return false;
            }
            FloatPointer values = source == GgmlType.F32 ? new FloatPointer(in) : floats;
            if (source != GgmlType.F32) {
                toFloats(source, in, floats, (long) count * columns);
            }
            if (searchVersion(target) > 0) {
                search(target, values, blocks, count, columns, importance);
            } else {
                llama.ggml_quantize_chunk(target.id(), values, blocks, 0, count, columns, importance);
            }
            if (!llama.ggml_validate_row_data(target.id(), blocks, outBytes)) {
                return false;
            }
        }
        rows.position(rows.limit());
        out.position(out.position() + (int) outBytes);
        return true;
    }

    /**
     * Reads weights of any type.
     *
     * @param blocks direct; whole blocks, consumed up to its limit
     * @param out direct; filled from its position, which moves on
     */
    public static void dequantize(GgmlType type, ByteBuffer blocks, FloatBuffer out) {
        long weights = (long) blocks.remaining() / type.blockBytes() * type.blockSize();
        if (blocks.remaining() % type.blockBytes() != 0 || out.remaining() < weights || !out.isDirect()) {
            throw new IllegalArgumentException("not whole blocks, or no room for " + weights + " weights");
        }
        try (BytePointer in = pointer(blocks);
                FloatPointer values = new FloatPointer(out.slice())) {
            if (type == GgmlType.F32) {
                Pointer.memcpy(values, in, blocks.remaining());
            } else {
                toFloats(type, in, values, weights);
            }
        }
        blocks.position(blocks.limit());
        out.position(out.position() + (int) weights);
    }

    /**
     * Whether all weights are finite and all blocks valid, as far as ggml checks the type.
     *
     * @param blocks direct; not consumed
     */
    public static boolean isValid(GgmlType type, ByteBuffer blocks) {
        try (BytePointer in = pointer(blocks)) {
            return llama.ggml_validate_row_data(type.id(), in, blocks.remaining());
        }
    }

    private static void toFloats(GgmlType type, Pointer in, FloatPointer out, long weights) {
        try (ggml_to_float_t convert = llama.ggml_get_type_traits(type.id()).to_float();
                PointerPointer<Pointer> member = new PointerPointer<>(convert)) {
            // What JavaCPP hands out points to the struct's member, which is what may be null.
            if (member.get(0) == null) {
                throw new IllegalArgumentException("ggml cannot read weights of type " + type);
            }
            convert.call(in, out, weights);
        }
    }

    /** From the buffer's position on. */
    private static BytePointer pointer(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("the buffer is not direct");
        }
        return new BytePointer(buffer.slice());
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the quantizer is closed");
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            floats.close();
            if (importance != null) {
                importance.close();
            }
        }
    }
}
