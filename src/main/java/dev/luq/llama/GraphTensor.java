package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.ggml_tensor;
import dev.luq.preset.global.llama;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/** A tensor of the graph that a {@link TensorTap} is shown; valid for that call. */
public final class GraphTensor {

    private final ggml_tensor tensor;

    GraphTensor(ggml_tensor tensor) {
        this.tensor = tensor;
    }

    /** Whether this is the same node of the same graph. */
    public boolean isSameAs(GraphTensor other) {
        return tensor.address() == other.tensor.address();
    }

    /** A weight's name in the file, or what llama.cpp calls the node, such as {@code l_out-3}. */
    public String name() {
        return tensor.name().getString(UTF_8);
    }

    /** Whether it is the product of a matrix, source 0, with the rows of another, source 1. */
    public boolean isMatrixProduct() {
        return tensor.op() == llama.GGML_OP_MUL_MAT;
    }

    /** @return null when the node has no such source */
    public GraphTensor source(int index) {
        ggml_tensor source = tensor.src(index);
        return source == null ? null : new GraphTensor(source);
    }

    /** Length of a row. */
    public int columns() {
        return Math.toIntExact(tensor.ne(0));
    }

    /** Number of rows, in activations one for each token. */
    public int rows() {
        return Math.toIntExact(llama.ggml_nrows(tensor));
    }

    /** Whether it lies in memory as plain floats. */
    public boolean isPlain() {
        return tensor.type() == llama.GGML_TYPE_F32 && llama.ggml_is_contiguous(tensor);
    }

    /**
     * {@code rows x columns} floats, row by row: a view of native memory, valid for the tap's call.
     *
     * @throws IllegalStateException the tensor does not lie in memory as plain floats
     */
    public FloatBuffer floats() {
        if (!isPlain()) {
            throw new IllegalStateException("tensor " + name() + " does not hold plain floats");
        }
        return new FloatPointer(tensor.data())
                .capacity((long) rows() * columns())
                .asBuffer();
    }
}
