package dev.luq.llama;

import dev.luq.machine.Processors;
import dev.luq.preset.ggml_backend;
import dev.luq.preset.ggml_backend_buffer;
import dev.luq.preset.ggml_backend_reg;
import dev.luq.preset.ggml_backend_set_n_threads_t;
import dev.luq.preset.ggml_cgraph;
import dev.luq.preset.ggml_context;
import dev.luq.preset.ggml_init_params;
import dev.luq.preset.ggml_tensor;
import dev.luq.preset.global.llama;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Many vectors in native memory and their dot products with others: ggml's matrix product in single precision. Every
 * product is summed by one thread in one order, so results do not depend on the number of threads. Not thread-safe.
 */
public final class VectorProducts implements AutoCloseable {

    private static final int TENSORS = 4;

    private final int count;
    private final int width;
    private final ggml_backend backend;
    private final Memory memory;
    private final ggml_tensor vectors;
    private final Map<Integer, Product> products = new HashMap<>();
    private boolean closed;

    /**
     * @param count number of vectors
     * @param width floats of a vector
     * @param threads compute threads; 0 takes the processors available
     */
    public VectorProducts(int count, int width, int threads) {
        if (count < 1 || width < 1 || threads < 0) {
            throw new IllegalArgumentException(
                    "there is at least one vector of at least one float, threads are 0 or more");
        }
        this.count = count;
        this.width = width;
        backend = llama.ggml_backend_init_by_name("CPU", null);
        if (backend == null) {
            throw new IllegalStateException("ggml has no CPU backend");
        }
        setThreads(Processors.threads(threads));
        memory = new Memory();
        vectors = llama.ggml_new_tensor_2d(memory.context, llama.GGML_TYPE_F32, width, count);
        memory.allocate(backend);
    }

    private void setThreads(int threads) {
        ggml_backend_reg registry = llama.ggml_backend_dev_backend_reg(llama.ggml_backend_get_device(backend));
        // The CPU backend may be a library that ggml loaded itself: its functions are found by name.
        Pointer function = llama.ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads");
        // JavaCPP calls through a pair of function and Java object.
        try (PointerPointer<Pointer> pair = new PointerPointer<>(2)) {
            new ggml_backend_set_n_threads_t(pair.put(0, function).put(1, null)).call(backend, threads);
        }
    }

    /** The vectors, one after the other, {@code count x width} floats to be filled; valid until closed. */
    public FloatBuffer vectors() {
        checkOpen();
        return floats(vectors, (long) count * width);
    }

    /**
     * The dot products of all vectors with some others.
     *
     * @param others {@code number x width} floats from the buffer's position; not consumed
     * @return {@code count x number} floats: for each vector its products with the others. A view of native memory,
     *     valid until the next call
     */
    public FloatBuffer with(FloatBuffer others, int number) {
        checkOpen();
        if (others.remaining() < (long) number * width) {
            throw new IllegalArgumentException("fewer than " + number + " vectors of " + width + " floats");
        }
        Product product = products.computeIfAbsent(number, Product::new);
        floats(product.others, (long) number * width).put(others.slice(others.position(), number * width));
        if (llama.ggml_backend_graph_compute(backend, product.graph) != llama.GGML_STATUS_SUCCESS) {
            throw new IllegalStateException("the matrix product failed");
        }
        return floats(product.result, (long) count * number);
    }

    private static FloatBuffer floats(ggml_tensor tensor, long size) {
        return new FloatPointer(tensor.data()).capacity(size).asBuffer();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the vectors are closed");
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            products.values().forEach(product -> product.memory.free());
            memory.free();
            llama.ggml_backend_free(backend);
        }
    }

    /** The product with a certain number of others. */
    private final class Product {
        final Memory memory = new Memory();
        final ggml_tensor others;
        final ggml_tensor result;
        final ggml_cgraph graph;

        Product(int number) {
            others = llama.ggml_new_tensor_2d(memory.context, llama.GGML_TYPE_F32, width, number);
            result = llama.ggml_mul_mat(memory.context, others, vectors);
            graph = llama.ggml_new_graph(memory.context);
            llama.ggml_build_forward_expand(graph, result);
            memory.allocate(backend);
        }
    }

    /** Tensors and the memory that they lie in. */
    private static final class Memory {
        final ggml_context context;
        private ggml_backend_buffer buffer;

        Memory() {
            try (ggml_init_params params = new ggml_init_params()) {
                params.mem_size(TENSORS * llama.ggml_tensor_overhead() + llama.ggml_graph_overhead())
                        .mem_buffer(null)
                        .no_alloc(true);
                context = llama.ggml_init(params);
            }
        }

        void allocate(ggml_backend backend) {
            buffer = llama.ggml_backend_alloc_ctx_tensors(context, backend);
            if (buffer == null) {
                throw new OutOfMemoryError("no native memory for a matrix product");
            }
        }

        void free() {
            if (buffer != null) {
                llama.ggml_backend_buffer_free(buffer);
            }
            llama.ggml_free(context);
        }
    }
}
